"""German, complete: every word that the window says has its entry, no entry is idle, and the window speaks it."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

import limbstudio
from limbstudio.domain.anatomy import LDPOSE, KeypointState, Level, Limb, Posture
from limbstudio.domain.corrections import TipKind
from limbstudio.domain.mask_layers import MaskKind
from limbstudio.services import search_completion
from limbstudio.ui import mesh_speech, words
from limbstudio.ui.actions import ACTIONS, MENUS
from limbstudio.ui.benches.closing import let_go
from limbstudio.ui.canvas.people import short_name
from limbstudio.ui.help import cards, definitions, tour
from limbstudio.ui.language import remembered_language, speak
from limbstudio.ui.palette import matches
from limbstudio.ui.panels.parts import ElidedLabel

from .test_window import placed_person

PACKAGE = Path(limbstudio.__file__).parent
GERMAN = words.catalogue("de")
PLACE = re.compile(r"\{[^{}]*\}")
# What takes words of the window: a text given to one of these is read by people.
SINKS = {
    "QLabel", "QPushButton", "QRadioButton", "QCheckBox", "QAction", "QTableWidgetItem", "QTreeWidgetItem", "label",
    "section", "setText", "setToolTip", "setAccessibleName", "setWindowTitle", "setPlaceholderText", "addAction",
    "addMenu", "addItem", "addRow", "setSpecialValueText", "say", "Choice", "KeyHint", "show_sentence", "said",
    "set_empty_text", "_say", "_Fact", "MeshView", "_say_wait",
}  # fmt: skip
NO_WORDS = {"LimbStudio", "LimbStudio {}.", "{}   Esc", "JPEG, PNG, TIFF, HEIC, WebP, COCO"}
FIRST_ONLY = {"label", "section", "_say", "MeshView"}  # what follows says how, not what
# In no German sentence; where a general entry fits by chance, some of them are left standing.
ENGLISH = re.compile(r"\b(the|were|is|are|of|to|it|and|from|with|not|or|again|this)\b")
HARSH = ("stumpf", "amputiert", "behindert", "verstümmel", "krüppel", "invalide", "fehlbildung")


def template(node: ast.expr) -> str | None:
    """Return a text as it stands in the code, '{}' for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return None


def plain(text: str) -> str:
    """Return an entry with places that have no names."""
    return PLACE.sub("{}", text)


def calls(folder: str) -> Iterator[tuple[Path, ast.Call, str]]:
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path, node, called(node)


def called(call: ast.Call) -> str:
    """Return the bare name of what is called."""
    return getattr(call.func, "id", None) or getattr(call.func, "attr", "")


def has_words(text: str) -> bool:
    bare = PLACE.sub("", text)
    is_a_word = bool(re.search(r"[A-Za-z]{2}", bare)) and (" " in text.strip() or text != text.lower())
    return is_a_word and text.strip() not in NO_WORDS and "://" not in text


def spoken_by_tables() -> set[str]:
    """Return the words of the tables: actions, menus, anatomy, help."""
    found = {row.text for row in ACTIONS} | set(MENUS)
    found |= {row.menu.partition("/")[2] for row in ACTIONS if "/" in row.menu}
    found |= {point.label for point in LDPOSE} | {short_name(point.index) for point in LDPOSE}
    found |= {state.value.replace("_", " ").capitalize() for state in KeypointState}
    found |= {level.label for level in Level}
    found |= {limb.value.replace("_", " ").capitalize() for limb in Limb}
    found |= {
        kind.value.replace("_", " ").capitalize() for kinds in (Posture, TipKind, MaskKind) for kind in kinds
    }
    found |= {*definitions.every_sentence(), *cards.every_sentence(), *tour.every_sentence()}
    found |= set(search_completion.every_sentence())
    return found | set(mesh_speech.side_sentences())


def spoken_by_tr() -> set[str]:
    texts = (template(call.args[0]) for _, call, name in calls("ui") if name == "tr" and call.args)
    return {text for text in texts if text is not None}


def given_to_qt() -> dict[str, str]:
    """Return the texts that the window's code gives to what shows them -> where."""
    found = {}
    for path, call, name in calls("ui"):
        if name in SINKS and "ui/benches" not in str(path):
            for argument in call.args[:1] if name in FIRST_ONLY else call.args:
                text = template(argument)
                if text is not None and has_words(text):
                    text += " ..." if name == "_say_wait" else ""
                    found[text] = f"{path.relative_to(PACKAGE)}:{call.lineno}"
    return found


def every_text() -> set[str]:
    """Return all texts of the code that could be an entry's."""
    found = set()
    for path in (*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "plugins").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = template(node) if isinstance(node, ast.expr) else None
            if text:
                found |= {text, text.strip(), text.strip().removesuffix("..."), *text.split("/")}
    return found


def test_every_word_of_the_tables_and_of_tr_has_its_german():
    missing = sorted(text for text in spoken_by_tables() | spoken_by_tr() if text and text not in GERMAN)

    assert missing == []


def without_german(texts: dict[str, str]) -> dict[str, str]:
    words.use("de")
    try:
        shown = {text: text.replace("{}", "7") for text in texts}
        return {
            text: texts[text]
            for text, filled in shown.items()
            if (words.said(filled) == filled or ENGLISH.search(words.said(filled)))
            and text not in GERMAN
            and plain(text) not in GERMAN
        }
    finally:
        words.use("en")


def test_every_text_that_is_given_to_qt_has_its_german():
    assert without_german(given_to_qt()) == {}


def test_no_entry_is_idle():
    used = {plain(text) for text in every_text() | spoken_by_tables() | spoken_by_tr()}
    idle = sorted(key for key in GERMAN if plain(key) not in used and not is_put_together(plain(key), used))

    assert idle == [], "\n".join(idle)


def is_put_together(text: str, pieces: set[str]) -> bool:
    """Tell whether a text can be laid out of texts of the code, one after the other."""
    usable = [piece for piece in pieces if len(piece) >= 3 and piece in text] + ["s", ".", " ", ": ", "{}"]
    reached = {0}
    for start in range(len(text)):
        if start in reached:
            reached |= {start + len(piece) for piece in usable if text.startswith(piece, start)}
    return len(text) in reached


def test_an_entry_has_the_places_of_its_english():
    wrong = [k for k, v in GERMAN.items() if Counter(PLACE.findall(k)) != Counter(PLACE.findall(v))]

    assert wrong == []


def test_the_german_words_are_respectful_and_none_is_empty():
    assert [k for k, v in GERMAN.items() if not v.strip()] == []
    assert [v for v in GERMAN.values() for harsh in HARSH if harsh in v.lower()] == []


def test_texts_are_found_whole_by_pattern_and_by_their_parts():
    words.use("de")
    try:
        assert words.said("Next photo") == "Nächstes Foto"
        assert words.said("&File") == "&Datei"
        assert words.said("Undo   Ctrl Z") == "Rückgängig   Strg Z"
        assert words.said("POINTS") == "PUNKTE"
        assert words.said("Left ankle, visible, 17 of 17") == "Linker Knöchel, Sichtbar, 17 von 17"
        assert words.said("Right leg: transtibial") == "Rechtes Bein: Transtibial"
        assert words.said("photo_7.png") == "photo_7.png"
        assert words.tr("Photo {number}", number=12) == "Foto 12"
    finally:
        words.use("en")
    assert words.said("Next photo") == "Next photo"


# What is said outside the folder of the window and read in it: by the services, the formats, the fit and corrections.
ELSEWHERE = (
    "images.py",
    "cameras.py",
    "corrections",
    "measures",
    "formats",
    "services",
    "resihmr",
    "body/model.py",
    "ajahr/checkpoint.py",
    "ajahr/limb_crop.py",
    "ajahr/released.py",
    "ajahr/untrusted.py",
)
# Read on the command line only, or by whoever writes a program.
NOT_IN_THE_WINDOW = {
    "body/bake.py", "formats/annotated.py", "formats/fit_json.py", "formats/meshes.py", "formats/mmpose.py",
    "services/checking.py", "services/compacting.py", "services/demonstrating.py", "services/diagnosing.py",
    "services/ablations.py", "services/bench_photos.py", "services/detecting.py", "services/evaluating.py",
    "services/evaluating_shards.py",
    "services/journal_files.py", "services/reconstructing.py", "services/records.py",
    "services/repairing.py",
}  # fmt: skip
ON_THE_COMMAND_LINE = ("--out", "--resume", "--device", "poses.npz", "Give it in pixels.")
TO_PROGRAMMERS = {
    "ValueError", "TypeError", "AssertionError", "debug", "info", "warning", "exception", "execute", "query",
}  # fmt: skip


def said_elsewhere() -> dict[str, str]:
    """Return the whole sentences that code outside the window says to people -> where."""
    found = {}
    files = [
        f for part in ELSEWHERE for f in ([PACKAGE / part] if "." in part else (PACKAGE / part).rglob("*.py"))
    ]
    for path in files:
        name = str(path.relative_to(PACKAGE))
        if name in NOT_IN_THE_WINDOW:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        silent = {id(part) for node in ast.walk(tree) for part in not_read(node)}
        for node in ast.walk(tree):
            text = template(node) if isinstance(node, ast.expr) and id(node) not in silent else None
            if text and is_a_sentence(text):
                found[text] = f"{name}:{node.lineno}"
    return found


def not_read(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what nobody reads in the window: documentation, logs, mistakes of programmers, parts of longer texts."""
    if isinstance(node, ast.Expr):
        yield from ast.walk(node.value) if isinstance(node.value, ast.Constant) else ()
    elif isinstance(node, ast.JoinedStr):
        yield from node.values
    elif isinstance(node, ast.Call) and called(node) in TO_PROGRAMMERS:
        yield from ast.walk(node)


def is_a_sentence(text: str) -> bool:
    bare = PLACE.sub("", text)
    is_whole = bool(re.match(r"[A-Z“{]", text)) and text[-1] in ".?!" and " " in text.strip()
    if re.match(r"(SELECT|WHERE|AND) ", text):
        return False
    return (
        is_whole and bool(re.search(r"[A-Za-z]{3}", bare)) and not any(w in text for w in ON_THE_COMMAND_LINE)
    )


def test_every_sentence_that_is_said_elsewhere_and_read_in_the_window_has_its_german():
    silent = without_german(said_elsewhere())

    assert silent == {}, "\n".join(f"{at}: {text}" for text, at in silent.items())


@pytest.fixture
def german():
    let_go()  # windows of other tests hear nothing, and say nothing, any more
    missing: set[str] = set()
    speak("de")
    words.tell_missing(missing.add)
    yield missing
    words.tell_missing(None)
    speak("en")


# Names, units and codes that are the same in every language.
_SAME = re.compile(
    r"(photo_\d\.png|test|LimbStudio|Foto|COCO|JPEG|Annotator|[LR] [A-ZÄÖÜ]|\d|x -?\d|Esc|Del|Home|PgUp|[A-Z]\b|4x|CPU|"
    r"Strg|Umschalt|F\d|Alt|Deutsch|English|English|Gamma|IoU|Person|/|Num|Zoom|Tab)"
)


def test_the_window_speaks_german_and_nothing_english_is_left(german, open_window, project_folder, qtbot):
    window = open_window(project_folder)
    placed_person(window, qtbot)
    window.session.select_point(5)
    window.actions_table["history"].trigger()
    window.show_palette()
    window.palette_card.close_palette()
    window.show_residual_limb()
    window.show_annotate()
    qtbot.wait(50)

    values = set(GERMAN.values())
    english = sorted(
        text
        for text in german
        if re.search(r"[a-z]{3}", text)
        and not _SAME.match(text)
        and text not in values
        and not _speaks(text, values)
    )
    assert english == [], "\n".join(english)
    titles = [action.text() for action in window._top.menus.actions()]
    assert titles == ["&Datei", "&Bearbeiten", "&Ansicht", "&Person", "&Gliedmaße", "&Aufträge", "&Hilfe"]
    assert window.actions_table["fit_body"].text() == "Anpassen"
    assert window.actions_table["fit_body"].toolTip().startswith("Anpassen")
    assert window.person_panel.fit_button.text() == "Anpassen"


def _speaks(text: str, values: set[str]) -> bool:
    """Tell whether a text was German already when it was given to Qt: what was read back from an action, say."""
    bare = text.strip(" .:").removeprefix("&").split("   ")[0].removesuffix("...").removesuffix("…")
    return any(
        (value and (bare in value or value.removesuffix("...") in text)) or _fills(text, value)
        for value in values
        if len(value) > 3
    )


def _fills(text: str, value: str) -> bool:
    """Tell whether a text is an entry with its places filled in."""
    parts = [re.escape(part) for part in PLACE.split(value)]
    return len(parts) > 1 and len("".join(parts)) > 8 and re.fullmatch(".+?".join(parts), text) is not None


def test_commands_and_points_are_found_by_german_and_english_words(german, open_window, project_folder):
    from limbstudio.domain.anatomy import LDPOSE_INDEX
    from limbstudio.ui.canvas.names import matching_points

    assert matches("anpassen")[0].id in {"fit_body", "self_fit_never"}
    assert "fit_body" in {row.id for row in matches("fit body")}
    assert matching_points("lik", range(25))[0] == LDPOSE_INDEX["left_knee"]
    assert LDPOSE_INDEX["left_knee"] in matching_points("left knee", range(25))


def test_messages_made_elsewhere_are_german_too(german, open_window, project_folder, qtbot):
    window = open_window(project_folder)
    window.annotate_page.new_person()

    window.annotate_page.fit_body()

    assert "braucht Punkte" in window.message_bar.text


def test_words_without_room_are_cut_after_they_are_german(german, qtbot):
    shown = ElidedLabel("All changes saved")
    qtbot.addWidget(shown)
    shown.setFixedWidth(60)
    shown.show()

    assert shown.full_text == "Alles gespeichert"
    assert shown.text().startswith("Alles")
    assert shown.text().endswith("…")


def test_the_language_is_chosen_by_key_and_spoken_from_the_next_start(window):
    assert remembered_language(window.memory) == "en"
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier

    QTest.keyClick(window, Qt.Key.Key_G, modifiers)

    assert remembered_language(window.memory) == "de"
    assert "nächsten Start" in window.message_bar.text
    assert window.actions_table["fit_body"].text() == "Fit body"
    assert window.actions_table["language_de"].isChecked()
    window.actions_table["language_en"].trigger()
    assert remembered_language(window.memory) == "en"
