"""Going back: what was is made again by one new edit, which can itself be undone. Nothing is ever erased."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limbstudio.domain.edits import Change, Edit, Key
from limbstudio.domain.errors import KnownError
from limbstudio.domain.project import Project
from limbstudio.domain.same_value import same_value
from limbstudio.services import project_file, records
from limbstudio.services.blobs import blob_names_in
from limbstudio.services.store import Checkpoint, Store


def photo_back_to(store: Store, project: Project, photo: str, sequence: int) -> Edit:
    """Make the edit that brings one photo, its people and all that is known of them back to after entry `sequence`.

    The photo itself stays, also when it was imported later. KnownError when nothing has changed since.
    """
    states = store.states_at(sequence, photo)
    states.pop(("photo", photo), None)
    changes = _changes_to(project, states)
    if not changes:
        raise KnownError("Nothing of this photo has changed since then.", "Choose an earlier line.")
    return Edit("This photo back to an earlier state", changes, None, photo)


def project_back_to(store: Store, project: Project, checkpoint: Checkpoint) -> Edit:
    """Make the edit that brings the whole project back to a checkpoint; KnownError when nothing has changed since."""
    changes = _changes_to(project, store.states_at(checkpoint.sequence))
    if not changes:
        raise KnownError(f"Nothing has changed since “{checkpoint.name}”.", "Choose an earlier checkpoint.")
    return Edit(f"Back to checkpoint “{checkpoint.name}”", changes)


def without(store: Store, project: Project, sequences: Sequence[int]) -> Edit:
    """Make the edit that takes entries back, a machine's and imports included, as one.

    KnownError when something that stays stands on them.
    """
    states: dict[Key, Any] = {}
    photos, labels = set(), []
    for sequence in sorted(sequences, reverse=True):
        edit = store.edit_of(sequence)
        photos.add(edit.photo)
        labels.append(edit.label)
        for change in reversed(edit.changes):
            there = states[change.key] if change.key in states else project.records.get(change.key)
            if not same_value(there, change.after):
                raise KnownError(
                    f"“{edit.label}” cannot be taken back alone: its {change.key[0].replace('_', ' ')} was changed "
                    "after it.",
                    "Select the later lines too, or bring the photo back to the line before it.",
                )
            states[change.key] = change.before
    label = labels[0] if len(labels) == 1 else f"{len(labels)} edits"
    changes = _changes_to(project, states)
    if not changes:
        raise KnownError(f"Taking back {label} changes nothing.", "It was taken back already.")
    return Edit(f"Take back: {label}", changes, None, photos.pop() if len(photos) == 1 else None)


def to_backup(project: Project, path: Path, name: str) -> Edit:
    """Make the edit that brings the project back to what a backup holds; KnownError when it cannot be read."""
    try:
        connection = project_file.connect_to_read(path)
        try:
            loaded = project_file.load(connection, path)
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise KnownError(
            f"The backup {path.name} cannot be read ({error}).", "Choose another one."
        ) from error
    if loaded.problems:
        raise KnownError(f"The backup {path.name} is damaged. {loaded.problems[0]}", "Choose another one.")
    states: dict[Key, Any] = {key: None for key in project.records if key not in loaded.records}
    states.update((key, loaded.records.get(key)) for key in loaded.records)
    changes = _changes_to(project, states)
    if not changes:
        raise KnownError(f"Nothing has changed since {name}.", "Choose an earlier one.")
    return Edit(f"Back to {name}", changes)


def blobs_named_in(edit: Edit) -> frozenset[str]:
    """Return the names of blobs that the records an edit makes speak of (and other hashes, which do no harm)."""
    texts = (records.encode(c.key[0], c.after) for c in edit.changes if c.after is not None)
    return frozenset(name for text in texts for name in blob_names_in(text))


def _changes_to(project: Project, states: Mapping[Key, Any]) -> tuple[Change, ...]:
    changes = (Change(key, project.records.get(key), was) for key, was in states.items())
    return tuple(c for c in changes if not same_value(c.before, c.after))
