"""mmpose metainfo: written consistent, parsed without being run."""

import pytest

from limbstudio.domain.anatomy import LDPOSE_NAMES
from limbstudio.domain.errors import KnownError
from limbstudio.formats.mmpose import differences_from_ldpose, metainfo_text, read_metainfo, write_metainfo


def test_the_written_file_is_ldpose_25(tmp_path):
    write_metainfo(tmp_path / "ldpose.py")

    metainfo = read_metainfo(tmp_path / "ldpose.py")

    assert differences_from_ldpose(metainfo) == ()
    assert set(metainfo.types) == {"upper", "lower"}
    assert len(metainfo.edges) == 27
    assert metainfo.weights[9] == 1.5
    assert metainfo.weights[17] == 1.0


def test_python_itself_reads_the_same_from_the_file():
    names: dict = {}
    exec(metainfo_text(), names)  # our own text, as mmpose would load it

    info = names["dataset_info"]
    assert [info["keypoint_info"][i]["name"] for i in range(25)] == list(LDPOSE_NAMES)
    assert len(info["sigmas"]) == len(info["joint_weights"]) == 25


def test_a_file_is_never_run(tmp_path):
    marker = tmp_path / "ran"
    path = tmp_path / "evil.py"
    path.write_text(
        f"open({str(marker)!r}, 'w')\ndataset_info = dict(dataset_name=open({str(marker)!r}, 'w'))\n",
        encoding="utf-8",
    )

    with pytest.raises(KnownError, match="calls something else"):
        read_metainfo(path)

    assert not marker.exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("dataset_info =", "info =", "does not assign"),
        ("swap='right_eye'", "swap='right_ey'", "does not exist"),
        ("swap='right_eye'", "swap='right_ear'", "not the other way round"),
        ("name='left_eye'", "name='nose'", "the name of another"),
        ("link=('left_ankle'", "link=('left_foot'", "left_foot"),
        ("0.026,", "", "one number for each"),
        ("0.026,", "-1,", "positive"),
        ("sigmas=", "sigma=", "sigmas"),
        ("dataset_info = dict(", "dataset_info = dict((", "no Python"),
    ],
)
def test_inconsistent_files_are_refused_with_the_reason(tmp_path, old, new, words):
    text = metainfo_text()
    assert old in text
    (tmp_path / "a.py").write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(KnownError, match=words):
        read_metainfo(tmp_path / "a.py")


def test_types_that_mmpose_drops_are_warned_of_and_other_names_noticed(tmp_path):
    text = metainfo_text().replace(
        "type='lower', swap='above_right", "type='residual_lower', swap='above_right"
    )
    (tmp_path / "a.py").write_text(text.replace("_end'", "_res'"), encoding="utf-8")

    metainfo = read_metainfo(tmp_path / "a.py")

    assert "residual_lower" in metainfo.warnings[0]
    assert "above_left_elbow_res" in differences_from_ldpose(metainfo)[0]


def test_lists_by_multiplication_are_read(tmp_path):
    import re

    text = re.sub(r"joint_weights=\[.*?\]", "joint_weights=[1.0] * 25", metainfo_text(), flags=re.DOTALL)
    (tmp_path / "a.py").write_text(text, encoding="utf-8")

    assert read_metainfo(tmp_path / "a.py").weights == (1.0,) * 25
