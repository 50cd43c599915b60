"""`sceneset scan --thumbnails`: small copies, made while images are decoded anyway."""

from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.imaging import facts as pixels
from sceneset.imaging.facts import image_facts
from support.build import NAME, Run

SCAN = f"registry/scans/{NAME}.parquet"


def names(root: Path) -> list[str]:
    table = Registry(root).scan(NAME, ("image_md5",))
    return sorted(f"{md5.hex()}.jpg" for md5 in table["image_md5"].to_pylist())


@pytest.mark.parametrize("words", [(), ("--from-remote",), ("--from-remote", "--engine", "dask")])
def test_one_of_each_image_named_by_content(
    words: tuple[str, ...], ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    if "dask" in words:
        pytest.importorskip("distributed")
    before = (ready / SCAN).read_bytes()
    done = sceneset("scan", "web", *words, "--thumbnails", tmp_path / "a/b", cwd=ready)
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "a/b").iterdir()) == names(ready)
    assert (ready / SCAN).read_bytes() == before


def test_only_those_that_lack_are_made(
    ready: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("scan", "web", "--thumbnails", tmp_path / "small")
    sceneset(*words, cwd=ready)
    gone, empty, *_ = paths = sorted((tmp_path / "small").iterdir())
    whole = [path.read_bytes() for path in paths]
    gone.unlink()
    empty.write_bytes(b"")
    made = []

    def counted(data, *rest, **options):  # type: ignore[no-untyped-def]
        made.append(data)
        return image_facts(data, *rest, **options)

    monkeypatch.setattr(pixels, "image_facts", counted)
    assert sceneset(*words, cwd=ready).code == 0
    assert len(made) == 2
    assert [path.read_bytes() for path in paths] == whole


def test_a_folder_that_cannot_be_written(ready: Path, tmp_path: Path, sceneset: Run) -> None:
    (tmp_path / "file").write_text("")
    before = (ready / SCAN).read_bytes()
    done = sceneset("scan", "web", "--thumbnails", tmp_path / "file", cwd=ready)
    assert done.code in {1, 2}
    assert str(tmp_path / "file") in done.err
    assert (ready / SCAN).read_bytes() == before
