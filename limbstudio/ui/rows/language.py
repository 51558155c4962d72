"""The actions that choose the language; a language's own name is never translated."""

from limbstudio.ui.action_row import ActionRow, Owner

_L = Owner.LANGUAGE

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("language_next", "Other language", "ph.translate", "other_language", "View/Language", ("Ctrl+Alt+G",), _L,
              group=4, synonyms="sprache deutsch german english"),
    ActionRow("language_system", "Language of the system", "", "use_system", "View/Language", (), _L, group=4,
              checkable=True, synonyms="sprache automatic"),
    ActionRow("language_en", "English", "", "use_english", "View/Language", (), _L, group=4, checkable=True,
              synonyms="language sprache englisch"),
    ActionRow("language_de", "Deutsch", "", "use_german", "View/Language", (), _L, group=4, checkable=True,
              synonyms="language german sprache"),
)
# fmt: on
