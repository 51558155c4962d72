"""The actions of background work: the queue, batches, and the log that tells afterwards what happened."""

from limbstudio.ui.action_row import ActionRow, Owner

_J = Owner.JOBS

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("jobs", "Jobs", "ph.list-numbers", "show_jobs", "Jobs", ("Ctrl+J",), _J, checkable=True,
              synonyms="queue background progress tasks show"),
    ActionRow("fit_selected", "Fit the selected photos", "ph.person-simple", "fit_selected", "Jobs",
              ("Ctrl+Alt+F",), _J, group=1, needs="fittable", synonyms="batch reconstruct many people"),
    ActionRow("fit_unfinished", "Fit all unfinished photos", "ph.stack", "fit_unfinished", "Jobs",
              ("Ctrl+Alt+Shift+F",), _J, group=1, needs="fittable", synonyms="batch reconstruct many people"),
    ActionRow("predict_selected", "Predict the selected photos", "ph.sparkle", "predict_selected", "Jobs", (),
              Owner.PREDICTING, group=1, needs="predictable_photos", synonyms="ajahr batch bodies many people"),
    ActionRow("predict_all", "Predict all photos", "ph.sparkle", "predict_all", "Jobs", (), Owner.PREDICTING, group=1,
              needs="predictable_photos", synonyms="ajahr batch bodies many people"),
    ActionRow("cancel_jobs", "Cancel all jobs", "ph.x-circle", "cancel_jobs", "Jobs", (), _J, group=2, needs="jobs",
              synonyms="stop"),
    ActionRow("retry_jobs", "Retry what failed", "ph.arrow-clockwise", "retry_failed", "Jobs", (), _J, group=2,
              needs="failed_jobs", synonyms="again repeat"),
    ActionRow("clear_jobs", "Clear what has ended", "ph.trash", "clear_ended", "Jobs", (), _J, group=2,
              needs="ended_jobs", synonyms="tidy forget"),
    ActionRow("save_now", "Try to save now", "ph.floppy-disk", "save_now", "File", (), _J, group=2, needs="unsaved",
              synonyms="disk full gone retry"),
    ActionRow("open_log", "Open log", "ph.file-text", "open_log", "Help", (), _J, group=1,
              synonyms="report trouble what happened"),
    ActionRow("copy_log", "Copy the log", "ph.copy", "copy_log", "Help", (), _J, group=1,
              synonyms="report trouble clipboard"),
)
# fmt: on
