from limbstudio.services.samples import sample_project
from limbstudio.services.studio import Studio


def test_the_sample_project_is_made_once_and_holds_people(tmp_path):
    folder = sample_project(tmp_path / "sample.limb")
    made = (folder / "project.sqlite").stat().st_ctime_ns

    again = sample_project(tmp_path / "sample.limb")

    assert again == folder
    assert (folder / "project.sqlite").stat().st_ctime_ns == made
    studio = Studio(run_inline=True)
    studio.open(folder)
    try:
        assert len(studio.photos) >= 6
        assert all(studio.people_in(photo.sha256) for photo in studio.photos)
    finally:
        studio.quit()
