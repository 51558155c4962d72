"""The actions that explain: the selected point, the tool in use, and the window as a whole."""

from limbstudio.ui.action_row import ActionRow, Owner

_H = Owner.HELP

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("definition", "What counts as this point", "ph.question", "show_definition", "Help", ("F1",), _H,
              synonyms="residual limb end stump definition card where keypoint"),
    ActionRow("tool_card", "What this tool does", "ph.wrench", "show_tool", "Help", ("Shift+F1",), _H,
              synonyms="help card explain tools"),
    ActionRow("tour", "A tour of the window", "ph.compass", "begin_tour", "Help", ("Ctrl+F1",), _H,
              synonyms="first steps introduction tutorial callouts"),
)
# fmt: on
