"""`sceneset scan --thumbnails` writes small copies of the images that it decodes."""

from pathlib import Path

import pytest

from sceneset.imaging import facts
from sceneset.imaging.facts import measure_image
from support.build import Run
from support.scans import SCAN, content_hashes


def expected_names(root: Path) -> list[str]:
    return sorted(f"{image}.jpg" for image, _ in content_hashes(root))


@pytest.mark.parametrize("words", [(), ("--from-remote",), ("--from-remote", "--engine", "dask")])
def test_scan_writes_one_thumbnail_for_each_image_when_asked(
    words: tuple[str, ...], ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    if "dask" in words:
        pytest.importorskip("distributed")
    before = (ready / SCAN).read_bytes()
    done = sceneset("scan", "web", *words, "--thumbnails", tmp_path / "a/b", cwd=ready)
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "a/b").iterdir()) == expected_names(ready)
    assert (ready / SCAN).read_bytes() == before


def test_scan_decodes_only_images_whose_thumbnail_is_missing_or_empty_when_run_again(
    ready: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("scan", "web", "--thumbnails", tmp_path / "small")
    sceneset(*words, cwd=ready)
    deleted, emptied, *_ = paths = sorted((tmp_path / "small").iterdir())
    before = [path.read_bytes() for path in paths]
    deleted.unlink()
    emptied.write_bytes(b"")
    decoded = []

    def counted(data, *rest, **options):  # type: ignore[no-untyped-def]
        decoded.append(data)
        return measure_image(data, *rest, **options)

    monkeypatch.setattr(facts, "measure_image", counted)
    assert sceneset(*words, cwd=ready).code == 0
    assert len(decoded) == 2
    assert [path.read_bytes() for path in paths] == before


def test_scan_names_the_thumbnail_folder_when_it_cannot_be_written(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    (tmp_path / "file").write_text("")
    before = (ready / SCAN).read_bytes()
    done = sceneset("scan", "web", "--thumbnails", tmp_path / "file", cwd=ready)
    assert done.code in {1, 2}
    assert str(tmp_path / "file") in done.err
    assert (ready / SCAN).read_bytes() == before
