"""Searches that a project keeps by name, and the edits that keep, rename and forget them."""

from dataclasses import dataclass, replace

from limbstudio.domain.edits import Change, Edit


@dataclass(frozen=True)
class SavedSearch:
    """A search under a name. query: as it is typed above the photo list."""

    id: str
    name: str
    query: str


def save_search(search: SavedSearch) -> Edit:
    change = Change(("saved_search", search.id), None, search)
    return Edit(f"Save search “{search.name}”", (change,))


def rename_search(search: SavedSearch, name: str) -> Edit:
    change = Change(("saved_search", search.id), search, replace(search, name=name))
    return Edit(f"Rename search “{search.name}”", (change,))


def forget_search(search: SavedSearch) -> Edit:
    change = Change(("saved_search", search.id), search, None)
    return Edit(f"Forget search “{search.name}”", (change,))
