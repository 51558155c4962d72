"""Figures of a training as a picture."""

import numpy as np
from PIL import Image

from limbstudio.training.curves import draw_curves


def test_every_figure_has_its_curve_and_a_resumed_step_counts_once(tmp_path):
    rows = [f"0,{1 / (n + 1)},{-n},{20 * n}" for n in range(30)]
    (tmp_path / "metrics.csv").write_text("\n".join(["epoch,loss,other,step", *rows, "0,0.5,,580"]))

    path = draw_curves(tmp_path)

    assert path == tmp_path / "curves.png"
    with Image.open(path) as picture:
        assert picture.size == (1100, 286)
        half = np.asarray(picture.convert("L"))[:, :550]
    assert (half < 200).sum() > 1000


def test_without_figures_nothing_is_drawn(tmp_path):
    assert draw_curves(tmp_path) is None
    (tmp_path / "metrics.csv").write_text("epoch,loss,step\n")
    assert draw_curves(tmp_path) is None
