"""What keeps an open project safe beyond saving: checkpoints, backups, and the ways back to them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from limbstudio.domain.edits import Edit
from limbstudio.domain.errors import KnownError
from limbstudio.services import backups, going_back
from limbstudio.services.backups import Backup, BackupKeeper, BackupKind
from limbstudio.services.history import Entry, History
from limbstudio.services.store import Checkpoint, JournalLine, Store


class Safekeeping:
    """Checkpoints and backups of one open project.

    say: gets a message and a hint for people, from any thread.
    """

    def __init__(self, store: Store, history: History, *, who: str, say: Callable[[str, str], None]) -> None:
        self._store = store
        self._history = history
        self._who = who
        self._keeper = None if store.read_only_reason else BackupKeeper(store, on_problem=say)

    def close(self) -> None:
        """Finish the backup that is being made."""
        if self._keeper is not None:
            self._keeper.stop()

    # -------------------------------------------------------------------------------------------- what there is

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Return the moments that were given a name, newest first."""
        return self._store.checkpoints

    def backups(self) -> tuple[Backup, ...]:
        """Return the backups, newest first. Slow on a slow disk."""
        return backups.backups_of(self._store.folder, self._store.identity)

    @property
    def backups_folder(self) -> Path:
        return backups.folder_for(self._store.folder, self._store.identity)

    def lines(self, photo: str | None, *, newest: int = 1000) -> list[JournalLine]:
        """Return the newest lines of the history of one photo (None: of all), newest first."""
        return self._store.journal_about(photo, newest=newest)

    # ------------------------------------------------------------------------------------------------- going back

    def set_checkpoint(self, name: str) -> Checkpoint:
        """Give this moment a name, and back it up in the background; KnownError when the name is empty."""
        name = " ".join(name.split())
        if not name:
            raise KnownError("A checkpoint needs a name.", "Type one, for example “before review”.")
        checkpoint, _ = self._store.set_checkpoint(name, who=self._who)
        self.back_up_now(BackupKind.CHECKPOINT, name)
        return checkpoint

    def back_up_now(self, kind: str = BackupKind.AUTOMATIC, name: str = "") -> None:
        """Back up soon, in the background."""
        if self._keeper is not None:
            self._keeper.back_up(kind, name)

    def photo_back_to(self, photo: str, sequence: int) -> Entry | None:
        """Bring one photo back to what it was after entry `sequence`: one new edit, which can be undone."""
        return self._do(going_back.photo_back_to(self._store, self._history.project, photo, sequence))

    def take_back(self, sequences: Sequence[int]) -> Entry | None:
        """Take entries back, a machine's and imports included: one new edit, which can be undone."""
        return self._do(going_back.without(self._store, self._history.project, sequences))

    def back_to_checkpoint(self, checkpoint: Checkpoint) -> Entry | None:
        """Bring the whole project back to a checkpoint: one new edit, which can be undone."""
        return self._do(going_back.project_back_to(self._store, self._history.project, checkpoint))

    def back_to_backup(self, backup: Backup) -> Entry | None:
        """Bring the whole project back to a backup: one new edit, which can be undone."""
        return self._do(going_back.to_backup(self._history.project, backup.path, f"the {backup.words}"))

    def _do(self, edit: Edit) -> Entry | None:
        backups.bring_back_blobs(self._store, going_back.blobs_named_in(edit))
        return self._history.do(edit)
