"""A robot that annotates as fast as it can and says each edit that was confirmed, until somebody kills it.

    python robot.py PROJECT PHOTOS WHAT SEED

WHAT: edit, import, undo, batch, compact or export. It writes lines to its standard output: `confirmed SEQUENCE HASH`,
HASH being that of the entry's changes. It is a plain script, so that a kill hits a plain process.
"""

import hashlib
import os
import random
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

from limbstudio.domain import edits
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person, Photo
from limbstudio.services import journal
from limbstudio.services.history import Entry
from limbstudio.services.studio import Studio, StudioEvent, What


def fingerprint(rows: list[tuple]) -> str:
    """Return the hash of an entry's rows: place, kind, id, photo, before, after."""
    return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()[:16]


class Robot:
    """Work in one project. Everything it does is an edit of the studio."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.studio = Studio(who="robot", run_inline=True)
        self.studio.listen(self.on_event)
        if folder.exists():
            self.studio.open(folder)
        else:
            self.studio.create(folder)
        assert not self.studio.read_only_reason, self.studio.read_only_reason
        self.started = str(self.chance.randrange(10**9))

    def on_event(self, event: StudioEvent) -> None:
        if event.what is What.EDITED and event.entry is not None:
            self.confirm_later(event.entry, self.studio.history.last_saved)

    def confirm_later(self, entry: Entry, saved: "Future[None] | None") -> None:
        assert saved is not None
        mark = fingerprint(journal.change_rows(entry.edit.changes))
        saved.add_done_callback(lambda _: os.write(1, f"confirmed {entry.sequence} {mark}\n".encode()))

    def edit(self) -> None:
        """Do some edit on some photo."""
        photos = self.studio.photos
        if not photos:
            name = f"{self.chance.randrange(16**12):012x}".ljust(64, "0")
            change = Change(("photo", name), None, Photo(name, 640, 480, "x.jpg"))
            self.studio.do(Edit("Import", (change,), None, None, human=False))
            return
        photo = self.chance.choice(list(photos)).sha256
        people = self.studio.people_in(photo)
        if len(people) < 2:
            self.studio.new_person(photo)
            return
        person = self.chance.choice(people)
        what = self.chance.random()
        if what < 0.7:
            x, y = self.chance.random() * 600, self.chance.random() * 400
            self.studio.do(edits.place_point(person, self.chance.randrange(25), x, y))
        elif what < 0.8:
            self.studio.do(edits.swap_sides(person))
        elif what < 0.9:
            self.mask(person)
        else:
            self.studio.do(edits.delete_person(person))

    def mask(self, person: Person) -> None:
        import numpy as np

        mask = np.zeros((48, 64), bool)
        mask[: self.chance.randrange(48)] = True
        name = self.studio.keep_mask(mask)
        from dataclasses import replace

        self.studio.do(edits.change_person(person, replace(person, mask_file=name), "Mask"))

    def undo(self) -> None:
        photos = self.studio.photos
        if not photos or self.chance.random() < 0.5:
            self.edit()
            return
        photo = self.chance.choice(list(photos)).sha256
        (self.studio.undo if self.chance.random() < 0.6 else self.studio.redo)(photo)

    def batch(self) -> None:
        """Many edits of a machine in one go, as a batch leaves them."""
        for photo in list(self.studio.photos):
            for person in self.studio.people_in(photo.sha256):
                edit = edits.place_point(person, 3, self.chance.random(), 1.0)
                self.studio.do(Edit("Predict", edit.changes, None, photo.sha256, human=False))
        self.edit()


def main() -> None:
    folder, photos, what, seed = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    robot = Robot(folder, seed)
    os.write(1, b"ready\n")
    if what == "compact":
        robot.studio.quit()
        from limbstudio.services.compacting import compact

        while True:
            compact(folder)
            robot = Robot(folder, seed)
            for _ in range(5):
                try_to(robot.undo)
            robot.studio.quit()
    if what == "export":
        threading.Thread(target=keep_exporting, args=(robot, photos), daemon=True).start()
    if what == "import":
        threading.Thread(target=keep_editing, args=(robot,), daemon=True).start()
        while True:
            robot.studio.import_photos([photos])
            for photo in list(robot.studio.photos)[:3]:  # taken out again, to be imported once more
                people = robot.studio.people_in(photo.sha256)
                changes = [Change(("person", p.id), p, None) for p in people]
                changes.append(Change(("photo", photo.sha256), photo, None))
                try_to(lambda c=changes: robot.studio.do(Edit("Remove photo", tuple(c), None, None, False)))
    act = {"undo": robot.undo, "batch": robot.batch}.get(what, robot.edit)
    while True:
        try_to(act)
        if robot.chance.random() < 0.05:
            robot.studio._opened()[0].flush()


def keep_exporting(robot: Robot, photos: Path) -> None:
    out = photos.parent / f"export-{os.getpid()}.json"
    while True:
        try_to(lambda: robot.studio.export_annotations(out))


def keep_editing(robot: Robot) -> None:
    while True:
        try_to(robot.edit)
        threading.Event().wait(0.002)


def try_to(act) -> None:
    try:
        act()
    except KnownError as error:  # an edit on what another thread has just changed
        if not any(words in error.message for words in ("older version", "has no", "cannot be")):
            raise


if __name__ == "__main__":
    main()
