"""Why a project is read-only: each reason in words, with what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limbstudio.domain.errors import KnownError
from limbstudio.services.claim import Holder


@dataclass(frozen=True)
class Reason:
    """Why a project is read-only; without a message it is not.

    holder: the window that has it. is_taken: another window took it over from this one. is_newer: its format is one
    that this version does not know.
    """

    message: str = ""
    hint: str = ""
    holder: Holder | None = None
    is_damage: bool = False
    is_taken: bool = False
    is_newer: bool = False


LOOKING = Reason("The project was opened to look at only.")


def ruined(folder: Path, what: str) -> KnownError:
    hint = f"Nothing was changed; do not delete it. Rescue what can be read: {_repair(folder)}."
    return KnownError(f"The project {folder} is damaged and nothing in it can be read: {what}", hint)


def damaged(folder: Path, problems: Sequence[str]) -> Reason:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    message = f"The project is damaged and is shown as far as it can be read, read-only. {problems[0]}" + more
    hint = f"Make a whole one of it in a new folder: {_repair(folder)}."
    return Reason(message, hint, is_damage=True)


def _repair(folder: Path) -> str:
    return f"limbstudio project repair “{folder.name}” --out NEW.limb"


def locked_folder(folder: Path) -> Reason:
    message = f"The project is read-only: its folder {folder} cannot be written."
    return Reason(
        message, "To edit it, copy the folder to a place of your own, or have its permissions changed."
    )


def newer(major: int, minor: int) -> Reason:
    message = f"The project is read-only: it was made by a newer LimbStudio (format {major}.{minor})."
    return Reason(message, "Install the newest LimbStudio to edit it.", is_newer=True)


def not_migrated(why: str, hint: str) -> Reason:
    message = f"The project is read-only: it is of an older format and could not be brought up to date. {why}"
    return Reason(message, hint)


def held(holder: Holder) -> Reason:
    message = f"The project is read-only here: it is open in another window ({holder.words})."
    return Reason(message, "Its edits appear here as they are made. Close that window, or take over.", holder)


def taken() -> Reason:
    return Reason(
        "The project is read-only here now: another window took it over.",
        "Close it here, or take over.",
        is_taken=True,
    )


def free(was: Reason) -> Reason:
    """Return the reason when the window that had the project was closed."""
    return Reason(
        "The project is read-only here; the window that had it was closed.",
        "Take over to edit it here.",
        was.holder,
        is_taken=True,
    )


def replaced(folder: Path) -> Reason:
    message = f"The project is read-only now: another one was put in its place at {folder}."
    return Reason(message, "Export what you see here if you need it, then open the project again.")


def stopped() -> Reason:
    message = "The project is read-only now: saving stopped because of a mistake in LimbStudio."
    return Reason(message, "Export what you see here, then open the project again.")
