"""Starting the program where there is nothing to show a window on."""

import sys

import pytest

from limbstudio.domain.errors import KnownError
from limbstudio.ui import app


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
@pytest.mark.parametrize("display", ["", ":4711"])
def test_without_a_display_a_sentence_says_so(monkeypatch, display):
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setenv("DISPLAY", display)

    with pytest.raises(KnownError, match="display") as caught:
        app._check_display()

    assert "xvfb-run" in caught.value.hint
