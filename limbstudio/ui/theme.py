"""Colours, type and measures of the window: the tokens of the design, dark, light and with high contrast."""

import functools
from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from limbstudio.resources import resource_path


@dataclass(frozen=True)
class Theme:
    """The colour tokens of one theme, as #RRGGBB. left, right, residual: anatomy in panels, never status.

    disabled: text of what cannot be used now. scene_top: the 3D view's background, above; `canvas` is below.
    skin: the drawn figure. primary_edge: the border of the one filled button.
    """

    name: str
    canvas: str
    bg: str
    panel: str
    raised: str
    hover: str
    line: str
    line2: str
    edge: str
    text: str
    text2: str
    text3: str
    accent: str
    accent_fill: str
    accent_bg: str
    ok: str
    warn: str
    error: str
    ok_bg: str
    warn_bg: str
    error_bg: str
    left: str
    right: str
    residual: str
    disabled: str
    scene_top: str
    skin: str
    primary_edge: str

    @property
    def is_dark(self) -> bool:
        return QColor(self.panel).lightness() < 128

    @property
    def has_high_contrast(self) -> bool:
        return self.name == "high_contrast"


DARK = Theme(
    name="dark",
    canvas="#0E1115",
    bg="#15181D",
    panel="#1A1E24",
    raised="#22272F",
    hover="#2B313B",
    line="#2C333D",
    line2="#3B444F",
    edge="#6A7687",
    text="#E8EBF0",
    text2="#B0B9C6",
    text3="#96A1B0",
    accent="#8A96FF",
    accent_fill="#5566E8",
    accent_bg="#262C4E",
    ok="#2FC69B",
    warn="#F0C05A",
    error="#FF8A5C",
    ok_bg="#15332B",
    warn_bg="#3A3018",
    error_bg="#40241A",
    left="#56B4E9",
    right="#E69F00",
    residual="#E58FC0",
    disabled="#6A7687",
    scene_top="#29313A",
    skin="#475162",
    primary_edge="#5566E8",
)
LIGHT = Theme(
    name="light",
    canvas="#DDE1E7",
    bg="#EEF0F4",
    panel="#FFFFFF",
    raised="#F3F5F8",
    hover="#E7EAF0",
    line="#DEE2E9",
    line2="#C3CAD5",
    edge="#7E8998",
    text="#171B21",
    text2="#465060",
    text3="#586373",
    accent="#3F4FCF",
    accent_fill="#4353D6",
    accent_bg="#E6E9FD",
    ok="#00704F",
    warn="#855500",
    error="#B23C00",
    ok_bg="#DDF3EB",
    warn_bg="#FBF0D5",
    error_bg="#FCE7DD",
    left="#006AA6",
    right="#955800",
    residual="#A83A7B",
    disabled="#7E8998",
    scene_top="#F3F5F8",
    skin="#C3CAD5",
    primary_edge="#4353D6",
)
# Black and white, lines in the colour of the text; every text at least 7:1, see the test of contrasts.
HIGH_CONTRAST = Theme(
    name="high_contrast",
    canvas="#000000",
    bg="#000000",
    panel="#000000",
    raised="#000000",
    hover="#262626",
    line="#FFFFFF",
    line2="#FFFFFF",
    edge="#FFFFFF",
    text="#FFFFFF",
    text2="#FFFFFF",
    text3="#E6E6E6",
    accent="#FFE45C",
    accent_fill="#1F3DB8",
    accent_bg="#0A2A6B",
    ok="#5CFFC4",
    warn="#FFD84D",
    error="#FFB199",
    ok_bg="#00281C",
    warn_bg="#332600",
    error_bg="#3D0F00",
    left="#8FD3FF",
    right="#FFC04D",
    residual="#FFB0DD",
    disabled="#B3B3B3",
    scene_top="#000000",
    skin="#6E6E6E",
    primary_edge="#FFFFFF",
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT, HIGH_CONTRAST)}
# Large targets: what is pressed is so many times as large, at least `LARGE_PX` high and wide.
LARGE_SCALE = 1.5
LARGE_PX = 44

# On photos and meshes, the same in both themes: Okabe and Ito's colours on a dark halo.
PHOTO_LEFT = "#56B4E9"
PHOTO_RIGHT = "#E69F00"
PHOTO_RESIDUAL = "#CC79A7"
PHOTO_PROSTHESIS = "#009E73"
PHOTO_UNSURE = "#F0E442"
PHOTO_MIDLINE = "#FFFFFF"
PHOTO_ABSENT = "#CBD1DA"
PHOTO_HALO = "#0A0C0F"
HALO_PX = 2.0
MESH_SKIN = "#C9CDD4"

FONT_FAMILY = "Inter"
_FONT_FILES = ("Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf")


def text_font(pixels: int = 13, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the interface's font at `pixels`, with figures of one width so that numbers do not dance."""
    font = QFont(FONT_FAMILY)
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


@functools.cache
def load_fonts() -> None:
    """Make the fonts that ship with the program known to Qt; without them the system's sans serif stands in.

    Once: Qt keeps every copy it is given, and tells every widget of it.
    """
    for name in _FONT_FILES:
        path = resource_path(f"fonts/{name}")
        if path.is_file():
            QFontDatabase.addApplicationFont(str(path))


def apply_theme(app: QApplication, theme: Theme, *, large: bool = False) -> None:
    """Give the whole application the colours, font and style sheet of `theme`. large: targets easy to hit."""
    sheet = style_sheet(theme, large=large)
    if app.styleSheet() == sheet:
        return  # a second window in the same colours: no widget of the first need be laid out anew
    if not app.styleSheet():
        app.setStyle("fusion")  # once: the binding keeps what each call returns
    app.setFont(text_font())
    app.setPalette(palette(theme))
    app.setStyleSheet(sheet)


def palette(theme: Theme) -> QPalette:
    """Return the Qt palette of `theme`, for what the style sheet does not reach."""
    roles = {
        QPalette.ColorRole.Window: theme.bg,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.panel,
        QPalette.ColorRole.AlternateBase: theme.raised,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.text3,
        QPalette.ColorRole.Button: theme.raised,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.ToolTipBase: theme.raised,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.Highlight: theme.accent_fill,
        QPalette.ColorRole.HighlightedText: "#FFFFFF",
        QPalette.ColorRole.Link: theme.accent,
    }
    made = QPalette()
    for role, colour in roles.items():
        made.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.disabled))
    return made


def style_sheet(theme: Theme, *, large: bool = False) -> str:
    """Return the application's style sheet. Widgets choose a row of it by their dynamic property `role`."""
    return (
        _sheet(theme)
        + (_contrast_sheet(theme) if theme.has_high_contrast else "")
        + (_LARGE if large else "")
    )


_CHECK = resource_path("marks/check.png").as_posix()


def _sheet(t: Theme) -> str:
    return "".join(part(t) for part in (_labels, _areas, _menus, _buttons, _fields, _lists))


def _labels(t: Theme) -> str:
    """Return how words are drawn, and what lies under everything."""
    return f"""
* {{ outline: none; }}
QMainWindow, QDialog {{ background: {t.bg}; }}
QLabel {{ background: transparent; color: {t.text}; }}
QLabel[role="page"] {{ font-size: 24px; font-weight: 600; }}
QLabel[role="dialog"] {{ font-size: 16px; font-weight: 600; }}
QLabel[role="title"] {{ font-size: 14px; font-weight: 600; }}
QLabel[role="figure"] {{ font-size: 18px; font-weight: 600; }}
QLabel[role="value"] {{ font-weight: 600; }}
QLabel[role="section"] {{ font-size: 11px; font-weight: 600; color: {t.text3}; }}
QLabel[role="small"] {{ font-size: 12px; color: {t.text2}; }}
QLabel[role="caption"] {{ font-size: 11px; color: {t.text3}; }}
QLabel[role="warn"] {{ font-size: 12px; color: {t.warn}; font-weight: 500; }}
QLabel[role="error"] {{ font-size: 12px; color: {t.error}; font-weight: 500; }}
QLabel[role="ok"] {{ font-size: 12px; color: {t.ok}; font-weight: 500; }}
QLabel[role="badge"] {{ background: {t.raised}; color: {t.text2}; border-radius: 9px; padding: 2px 8px;
    font-size: 11px; font-weight: 600; }}
QLabel[role="badge-accent"] {{ background: {t.accent_bg}; color: {t.accent}; border-radius: 5px; padding: 2px 6px;
    font-size: 12px; font-weight: 500; }}
QLabel[role="badge-ok"] {{ background: {t.ok_bg}; color: {t.ok}; border-radius: 5px; padding: 2px 6px;
    font-size: 12px; font-weight: 500; }}
QLabel[role="badge-warn"] {{ background: {t.warn_bg}; color: {t.warn}; border-radius: 9px; padding: 2px 7px;
    font-size: 11px; font-weight: 600; }}
QLabel[role="key"] {{ background: {t.hover}; color: {t.text2}; border: 1px solid {t.line2}; border-radius: 4px;
    padding: 1px 4px; font-size: 11px; font-weight: 500; }}
"""


def _areas(t: Theme) -> str:
    """Return the grounds of the window's parts, of cards and of messages."""
    return f"""
QWidget#topBar {{ background: {t.panel}; border-bottom: 1px solid {t.line}; }}
QWidget#leftPanel {{ background: {t.panel}; border-right: 1px solid {t.line}; }}
QWidget#rightPanel, QWidget#limbPanel {{ background: {t.panel}; border-left: 1px solid {t.line}; }}
QWidget#statusBar {{ background: {t.panel}; border-top: 1px solid {t.line}; }}
QWidget#statusBar QLabel {{ font-size: 12px; color: {t.text2}; }}
QWidget#statusBar QLabel[role="error"] {{ color: {t.error}; }}
QWidget#canvasArea, QWidget#meshArea {{ background: {t.canvas}; }}
QGraphicsView {{ background: {t.canvas}; border: none; }}
QWidget#startPage {{ background: {t.bg}; }}
QWidget#validityStrip {{ background: {t.panel}; border-top: 1px solid {t.line}; }}
QFrame[role="line"] {{ background: {t.line}; border: none; max-height: 1px; min-height: 1px; }}
QFrame[role="vline"] {{ background: {t.line2}; border: none; max-width: 1px; min-width: 1px; }}
QFrame[role="float"] {{ background: {t.panel}; border: 1px solid {t.line2}; border-radius: 8px; }}
QFrame[role="card"] {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: 8px; }}
QFrame[role="drop"] {{ background: {t.bg}; border: 2px dashed {t.line2}; border-radius: 8px; }}
QFrame[role="drop"][over="true"] {{ background: {t.accent_bg}; border-color: {t.accent}; }}
QFrame[role="message-error"] {{ background: {t.error_bg}; border-bottom: 1px solid {t.line}; }}
QFrame[role="message-warn"] {{ background: {t.warn_bg}; border-bottom: 1px solid {t.line}; }}
QFrame[role="message-ok"] {{ background: {t.ok_bg}; border-bottom: 1px solid {t.line}; }}
"""


def _menus(t: Theme) -> str:
    """Return menus and tool tips."""
    return f"""
QMenuBar {{ background: transparent; color: {t.text2}; font-weight: 500; }}
QMenuBar::item {{ padding: 6px 11px; background: transparent; border-radius: 5px; }}
QMenuBar::item:selected {{ background: {t.hover}; color: {t.text}; }}
QMenu {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line2}; border-radius: 6px; padding: 5px; }}
QMenu::item {{ padding: 6px 24px 6px 10px; border-radius: 5px; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::item:selected {{ background: {t.accent_bg}; }}
QMenu::item:disabled {{ color: {t.disabled}; }}
QMenu::separator {{ height: 1px; background: {t.line2}; margin: 5px 8px; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line2}; padding: 5px 7px; }}
"""


def _buttons(t: Theme) -> str:
    """Return buttons of every role."""
    return f"""
QPushButton {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line2}; border-radius: 6px;
    padding: 0 14px; min-height: 30px; font-weight: 600; }}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:pressed {{ background: {t.line2}; }}
QPushButton:focus {{ border: 2px solid {t.accent}; }}
QPushButton:disabled {{ color: {t.disabled}; background: {t.panel}; border-color: {t.line}; }}
QPushButton[role="primary"] {{ background: {t.accent_fill}; color: #FFFFFF; border-color: {t.primary_edge}; }}
QPushButton[role="primary"]:hover {{ background: {t.accent_fill}; border-color: #FFFFFF; }}
QPushButton[role="primary"]:disabled {{ background: {t.hover}; color: {t.text3}; border-color: {t.line2}; }}
QPushButton[role="link"] {{ background: transparent; border: 1px solid transparent; color: {t.accent};
    padding: 0 6px; min-height: 24px; }}
QPushButton[role="chip"] {{ background: {t.hover}; border: 1px solid transparent; color: {t.text2};
    border-radius: 9px; padding: 1px 8px; font-size: 11px; font-weight: 500; min-height: 16px; }}
QPushButton[role="chip"]:hover {{ color: {t.text}; border-color: {t.line2}; }}
QPushButton[role="chip"]:checked {{ background: {t.accent_bg}; color: {t.accent}; }}
QPushButton[role="chip"]:focus {{ border-color: {t.accent}; }}
QPushButton[role="link"]:disabled {{ color: {t.disabled}; }}
QPushButton[role="link"]:hover {{ background: {t.hover}; }}
QPushButton[role="link"]:focus {{ border-color: {t.accent}; }}
QPushButton[role="choice"], QPushButton[role="recent"] {{ text-align: left; background: {t.raised};
    border: 1px solid {t.line}; border-radius: 8px; min-height: 60px; }}
QPushButton[role="recent"] {{ min-height: 34px; font-weight: 500; }}
QPushButton[role="choice"]:hover, QPushButton[role="choice"]:focus,
QPushButton[role="recent"]:hover, QPushButton[role="recent"]:focus {{ border: 1px solid {t.accent};
    background: {t.accent_bg}; }}
QPushButton[role="search"] {{ background: {t.raised}; color: {t.text3}; border: 1px solid {t.line2};
    border-radius: 6px; text-align: left; padding: 0 8px; min-height: 26px; font-weight: 400; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 4px;
    color: {t.text2}; }}
QToolButton:hover {{ background: {t.hover}; }}
QToolButton:checked {{ background: {t.accent_bg}; color: {t.text}; }}
QToolButton:focus {{ border-color: {t.accent}; }}
QToolButton:disabled {{ color: {t.disabled}; }}
QToolButton[role="perspective"] {{ font-weight: 500; padding: 2px 12px; min-height: 20px; }}
QToolButton[role="perspective"]:checked {{ color: {t.text}; font-weight: 600; }}
QToolButton[role="state"] {{ padding: 3px 2px; font-size: 12px; font-weight: 500; }}
QToolButton[role="segment"] {{ font-size: 12px; font-weight: 500; padding: 4px 9px; }}
"""


def _fields(t: Theme) -> str:
    """Return what is chosen, typed, ticked or slid."""
    return f"""
QComboBox {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line2}; border-radius: 6px;
    padding: 4px 8px; min-height: 20px; }}
QComboBox[role="choice"] {{ min-height: 32px; }}
QComboBox:hover {{ border-color: {t.edge}; }}
QComboBox:focus {{ border-color: {t.accent}; }}
QComboBox::drop-down {{ border: none; width: 18px; }}
QComboBox QAbstractItemView {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line2};
    selection-background-color: {t.accent_bg}; selection-color: {t.text}; padding: 4px; }}
QLineEdit, QSpinBox, QDoubleSpinBox {{ background: {t.bg}; color: {t.text}; border: 1px solid {t.edge};
    border-radius: 6px; padding: 0 8px; min-height: 28px; selection-background-color: {t.accent_fill}; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus {{ border-color: {t.accent}; }}
QAbstractSpinBox QLineEdit {{ background: transparent; border: none; padding: 0; min-height: 0; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; border: none; }}
QCheckBox, QRadioButton {{ color: {t.text}; spacing: 8px; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {t.disabled}; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 16px; height: 16px; background: {t.bg};
    border: 1px solid {t.edge}; border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: 9px; }}
QCheckBox::indicator:hover, QRadioButton::indicator:hover {{ border-color: {t.accent}; }}
QCheckBox:focus, QRadioButton:focus {{ color: {t.accent}; }}
QCheckBox::indicator:checked {{ background: {t.accent_fill}; border-color: {t.primary_edge};
    image: url("{_CHECK}"); }}
QRadioButton::indicator:checked {{ background: #FFFFFF; border: 5px solid {t.accent_fill}; width: 8px; height: 8px; }}
QSlider {{ min-height: 22px; }}
QSlider::groove:horizontal {{ height: 4px; background: {t.line2}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -6px 0; border-radius: 8px; background: {t.text};
    border: 1px solid {t.panel}; }}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ background: {t.accent};
    border-color: {t.text}; }}
"""


def _lists(t: Theme) -> str:
    """Return lists, tables, progress and scroll bars."""
    return f"""
QPlainTextEdit {{ background: {t.bg}; color: {t.text}; border: 1px solid {t.line2}; border-radius: 6px;
    padding: 6px; }}
QListView, QTreeView, QTableView {{ background: {t.panel}; color: {t.text}; border: none; font-size: 12px;
    selection-background-color: {t.accent_bg}; selection-color: {t.text}; }}
QTreeView::item, QListView::item {{ border: none; }}
QTreeView::item:selected, QListView::item:selected, QTableView::item:selected {{ background: {t.accent_bg};
    color: {t.text}; }}
QTreeView::branch:selected {{ background: {t.accent_bg}; }}
QTableView {{ gridline-color: transparent; alternate-background-color: {t.panel}; }}
QTableView::item {{ padding: 0 6px; border: none; }}
QHeaderView {{ background: {t.panel}; }}
QHeaderView::section {{ background: {t.panel}; color: {t.text2}; border: none;
    border-bottom: 1px solid {t.line}; padding: 5px 6px; font-size: 11px; font-weight: 600; }}
QProgressBar {{ background: {t.hover}; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 2px; }}
QScrollArea {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {t.line2}; border-radius: 4px; min-height: 32px; margin: 1px 1px 1px 3px; }}
QScrollBar::handle:vertical:hover {{ background: {t.edge}; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle:horizontal {{ background: {t.line2}; border-radius: 4px; min-width: 32px; margin: 3px 1px 1px 1px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {t.line}; }}
"""


def _contrast_sheet(t: Theme) -> str:
    """Return what high contrast adds: what is chosen or on has a border, not only another ground."""
    return f"""
QToolButton:checked {{ border: 2px solid {t.accent}; color: {t.text}; }}
QToolButton:hover, QPushButton:hover {{ border: 1px solid {t.accent}; }}
QToolButton:focus, QPushButton:focus, QComboBox:focus, QLineEdit:focus, QAbstractSpinBox:focus {{
    border: 2px solid {t.accent}; }}
QMenu::item:selected, QMenuBar::item:selected {{ border: 1px solid {t.accent}; }}
QListView::item:selected {{ border: 1px solid {t.accent}; }}
QPushButton[role="chip"] {{ border-color: {t.text}; }}
QPushButton[role="chip"]:checked {{ border: 2px solid {t.accent}; color: {t.accent}; }}
QFrame[role="float"], QFrame[role="card"] {{ border: 1px solid {t.text}; }}
QLabel[role="badge"], QLabel[role="badge-warn"], QLabel[role="badge-accent"], QLabel[role="badge-ok"] {{
    border: 1px solid {t.text}; }}
"""


_LARGE = f"""
QToolButton {{ min-width: {LARGE_PX - 10}px; min-height: {LARGE_PX - 10}px; max-height: {LARGE_PX}px; }}
QToolButton[role="perspective"] {{ min-height: 28px; max-height: 34px; padding: 2px 16px; }}
QToolButton[role="state"], QToolButton[role="segment"] {{ padding: 3px 8px; }}
QPushButton, QPushButton[role="link"] {{ min-height: {LARGE_PX - 2}px; }}
QPushButton[role="search"] {{ min-height: 34px; }}
QPushButton[role="chip"] {{ min-height: 34px; padding: 4px 8px; font-size: 12px; border-radius: 16px; }}
QComboBox {{ min-height: {LARGE_PX - 12}px; }}
QComboBox[role="choice"] {{ min-height: {LARGE_PX}px; }}
QLineEdit, QSpinBox, QDoubleSpinBox {{ min-height: {LARGE_PX - 2}px; }}
QMenuBar::item {{ padding: 11px 13px; }}
QMenu::item {{ padding: 13px 26px 13px 12px; }}
QTreeView::item, QListView::item, QTableView::item {{ min-height: {LARGE_PX - 4}px; }}
QCheckBox, QRadioButton {{ min-height: {LARGE_PX}px; }}
QScrollBar:vertical {{ width: 14px; }}
QScrollBar:horizontal {{ height: 14px; }}
QWidget#statusBar {{ min-height: {LARGE_PX}px; max-height: {LARGE_PX}px; }}
QWidget#topBar {{ min-height: {LARGE_PX + 8}px; max-height: {LARGE_PX + 8}px; }}
"""
