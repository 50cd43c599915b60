"""Deliveries that are archives, or folders with archives in them."""

import gzip
import io
import json
import random
import shutil
import stat
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import FindingsError
from sceneset.formats import archives
from sceneset.formats.archive_members import safe_parts
from sceneset.formats.archives import open_archives
from support.build import NAME, snapshot
from support.formats import write_values


def write_zip(path, members, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", **options) as opened:
        for name, data in members:
            opened.writestr(name, data)
    return path


def write_tar(path, members, mode="w"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as opened:
        for member, data in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return path


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def opened(delivery, tmp_path):
    return open_archives(delivery, tmp_path / "work")


def messages(done):
    return "\n".join(map(str, done.findings))


MEMBERS = [("images/a.jpg", b"A"), ("images/b.jpg", b"B" * 5000), ("masks/a.png", b"M")]


@pytest.mark.parametrize(("kind", "megabytes"), [("d.zip", 0), ("d.tar", 3), ("d.tar.gz", 3)])
def test_progress_is_reported_for_reading_and_for_extracting(tmp_path, kind, megabytes):
    noise = random.Random(1).randbytes
    members = [(f"images/{n}.jpg", noise(700_000)) for n in range(5)]
    if kind == "d.zip":
        archive = write_zip(tmp_path / kind, members)
    else:
        archive = write_tar(tmp_path / kind, members, "w:gz" if kind.endswith("gz") else "w")
    seen = {}

    def progress(items, total, what):
        seen[what] = [0, total]
        for item in items:
            seen[what][0] += 1
            yield item

    open_archives(archive, tmp_path / "work", progress=progress)
    assert seen.pop("extract") == [5, 5]
    [(done, total)] = seen.values()
    assert done == total >= megabytes


@pytest.mark.parametrize("kind", ["d.zip", "d.tar", "d.tar.gz", "d.tgz"])
def test_an_archive_is_read_as_the_folder_that_it_holds(tmp_path, kind):
    path = tmp_path / "in" / kind
    if kind == "d.zip":
        write_zip(path, MEMBERS, compression=zipfile.ZIP_DEFLATED)
    else:
        write_tar(path, MEMBERS, "w" if kind == "d.tar" else "w:gz")
    before = snapshot(tmp_path / "in")
    done = opened(path, tmp_path)
    tree = done.tree(tmp_path / "files")
    assert tree.files == [name for name, _ in MEMBERS]
    assert {f: tree.path(f).read_bytes() for f in tree.files} == dict(MEMBERS)
    assert done.findings == []
    assert snapshot(tmp_path / "in") == before
    assert tree.tars == (frozenset() if kind == "d.zip" else {""})


def test_archives_in_a_folder_count_as_folders_of_it(tmp_path):
    folder = tmp_path / "in"
    write_zip(folder / "sub/images.zip", [("a.jpg", b"A")])
    write_tar(folder / "masks.tar.gz", [("masks/a.png", b"M")], "w:gz")
    (folder / "README.md").write_text("hello")
    done = opened(folder, tmp_path)
    tree = done.tree(tmp_path / "files")
    assert tree.files == ["README.md", "masks/a.png", "sub/images/a.jpg"]
    assert [tree.path(f).read_bytes() for f in tree.files] == [b"hello", b"M", b"A"]
    assert tree.tars == {"masks"}
    (folder / "README.md").unlink()
    shutil.rmtree(tmp_path / "work")
    done = opened(folder, tmp_path)
    assert done.tree(tmp_path / "files").files == ["masks/a.png", "sub/images/a.jpg"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.jpg", "leads out"),
        ("a/../../evil.jpg", "leads out"),
        ("..\\evil.jpg", "leads out"),
        ("/etc/evil.jpg", "absolute"),
        ("C:\\evil.jpg", "absolute"),
        ("c:evil.jpg", "absolute"),
        ("\\\\server\\evil.jpg", "absolute"),
        ("a/\x1b[2J.jpg", "control character"),
        (f"{'x' * 256}.jpg", "too long"),
        ("/".join("x" * 200 for _ in range(6)), "too long"),
    ],
)
@pytest.mark.parametrize("kind", ["d.zip", "d.tar"])
def test_an_unsafe_name_is_reported_and_not_written(tmp_path, name, reason, kind):
    write = write_zip if kind == "d.zip" else write_tar
    done = opened(write(tmp_path / kind, [(name, b"!"), ("good.jpg", b"G")]), tmp_path)
    assert [p.code for p in done.findings] == ["archive-member"]
    assert reason in messages(done)
    assert done.findings[0].file.startswith(f"{kind} (")
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(p.name for p in files) == sorted([kind, "good.jpg"])


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (link("l", "/etc/passwd"), "it is a link"),
        (link("l", "good.jpg", tarfile.LNKTYPE), "it is a link"),
        (link("l", "", tarfile.CHRTYPE), "it is not a regular file"),
        (link("l", "", tarfile.FIFOTYPE), "it is not a regular file"),
        (tarfile.TarInfo("good.jpg"), "another member has the same name"),
        (tarfile.TarInfo("good.jpg/inner.jpg"), "another member has the same name"),
        (tarfile.TarInfo("inner.zip"), "an archive inside of an archive"),
    ],
)
def test_a_member_that_is_no_new_file_is_reported(tmp_path, member, reason):
    path = write_tar(tmp_path / "d.tar", [("good.jpg", b"G"), (member, b"")])
    done = opened(path, tmp_path)
    assert [p.code for p in done.findings] == ["archive-member"]
    assert reason in messages(done)
    assert f"d.tar ({member.name})" in messages(done)
    assert (done.root / "good.jpg").read_bytes() == b"G"


def test_a_folder_behind_a_link_is_never_written_through(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    path = write_tar(tmp_path / "d.tar", [(link("l", str(outside)), b""), ("l/evil.jpg", b"!")])
    done = opened(path, tmp_path)
    assert list(outside.iterdir()) == []
    assert "it is a link" in messages(done)


def test_a_link_in_a_zip_is_reported(tmp_path):
    info = zipfile.ZipInfo("l")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    done = opened(write_zip(tmp_path / "d.zip", [(info, b"/etc"), ("a.jpg", b"A")]), tmp_path)
    assert "it is a link" in messages(done)


def test_encrypted_members_are_reported(tmp_path):
    path = write_zip(tmp_path / "d.zip", [("a.jpg", b"A" * 40), ("b.jpg", b"B")])
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag of the first member, in its own header and in the list of members
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    done = opened(path, tmp_path)
    assert [p.file for p in done.findings] == ["d.zip (a.jpg)"]
    assert "it is encrypted" in messages(done)
    assert (done.root / "b.jpg").exists()


def test_names_in_gbk_are_read_and_said(tmp_path):
    path = write_zip(tmp_path / "d.zip", [("xxxx/aaaa.jpg", b"A"), ("plain.jpg", b"P")])
    data = path.read_bytes().replace(b"xxxx", "滑雪".encode("gbk"))
    path.write_bytes(data)
    done = opened(path, tmp_path)
    assert done.tree(tmp_path / "f").files == ["plain.jpg", "滑雪/aaaa.jpg"]
    said = "d.zip does not say how its names are encoded; 1 name is read as GBK, for example "
    assert done.says == [f"{said}滑雪/aaaa.jpg"]


def test_names_in_utf8_without_the_flag_are_not_taken_for_gbk(tmp_path):
    path = write_zip(tmp_path / "d.zip", [("xxxxxx/a.jpg", b"A")])
    path.write_bytes(path.read_bytes().replace(b"xxxxxx", "滑雪".encode()))
    done = opened(path, tmp_path)
    assert done.tree(tmp_path / "f").files == ["滑雪/a.jpg"]
    assert done.says == []


def test_a_damaged_member_of_a_zip_is_reported_alone(tmp_path):
    path = write_zip(tmp_path / "d.zip", [("a.jpg", b"A" * 400), ("b.jpg", b"B" * 400)])
    path.write_bytes(path.read_bytes().replace(b"A" * 400, b"A" * 399 + b"x"))
    done = opened(path, tmp_path)
    assert [p.file for p in done.findings] == ["d.zip (a.jpg)"]
    assert "CRC" in messages(done)
    assert not (done.root / "a.jpg").exists()
    assert (done.root / "b.jpg").exists()


@pytest.mark.parametrize("kind", ["d.zip", "d.tar", "d.tar.gz"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_truncated_archive_stops_with_its_name(tmp_path, kind, share):
    noise = [(f"{n}.jpg", random.Random(n).randbytes(3000)) for n in range(30)]
    path = tmp_path / kind
    if kind == "d.zip":
        write_zip(path, noise)
    else:
        write_tar(path, noise, "w" if kind == "d.tar" else "w:gz")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(FindingsError, match=f"{kind}: is truncated") as found:
        opened(path, tmp_path)
    assert [p.code for p in found.value.findings] == ["archive-broken"]


def test_a_tar_cut_between_two_members_is_truncated(tmp_path):
    path = write_tar(tmp_path / "d.tar", [("a.jpg", b"A"), ("b.jpg", b"B")])
    path.write_bytes(path.read_bytes()[:1024])
    with pytest.raises(FindingsError, match="the end is missing"):
        opened(path, tmp_path)


def test_a_tar_with_a_damaged_header_does_not_end_early_in_silence(tmp_path):
    path = write_tar(tmp_path / "d.tar", [("a.jpg", b"A"), ("b.jpg", b"B"), ("c.jpg", b"C")])
    data = bytearray(path.read_bytes())
    data[1024:1100] = b"?" * 76
    path.write_bytes(data)
    with pytest.raises(FindingsError, match="a header is damaged"):
        opened(path, tmp_path)


@pytest.mark.parametrize("kind", ["d.zip", "d.tar"])
def test_an_empty_archive_is_reported(tmp_path, kind):
    (write_zip if kind == "d.zip" else write_tar)(tmp_path / kind, [])
    with pytest.raises(FindingsError, match="contains no file"):
        opened(tmp_path / kind, tmp_path)
    (tmp_path / kind).write_bytes(b"")
    shutil.rmtree(tmp_path / "work")
    with pytest.raises(FindingsError, match=f"{kind}: is truncated"):
        opened(tmp_path / kind, tmp_path)


@pytest.mark.parametrize("kind", ["d.zip", "d.tar.gz"])
def test_a_bomb_is_refused_before_anything_is_written(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archives, "_MUCH", 1 << 20)
    zeros = [(f"{n}.bin", bytes(1 << 20)) for n in range(40)]
    if kind == "d.zip":
        path = write_zip(tmp_path / kind, zeros, compression=zipfile.ZIP_DEFLATED)
    else:
        path = write_tar(tmp_path / kind, zeros, "w:gz")
    with pytest.raises(FindingsError, match="200 times its size"):
        opened(path, tmp_path)
    assert [p for p in (tmp_path / "work").rglob("*") if p.is_file()] == []


def test_a_member_that_is_larger_than_declared_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_MUCH", 1 << 20)
    path = write_zip(
        tmp_path / "d.zip", [("a.bin", bytes(60 << 20))], compression=zipfile.ZIP_DEFLATED
    )
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\1\2")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    done = opened(path, tmp_path)  # zipfile stops at the declared size, and the checksum differs
    assert "CRC" in messages(done)
    assert not (done.root / "a.bin").exists()


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_MAX_MEMBERS", 3)
    path = write_zip(tmp_path / "d.zip", [(f"{n}.jpg", b"") for n in range(4)])
    with pytest.raises(FindingsError, match="more than 3 members"):
        opened(path, tmp_path)


def test_a_huge_header_of_a_tar_is_refused_before_it_is_read(tmp_path):
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    path = tmp_path / "d.tar.gz"
    with gzip.open(path, "wb") as stream:
        stream.write(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(FindingsError, match="a header has"):
        opened(path, tmp_path)


def test_a_disk_that_is_too_small_is_reported_first(tmp_path, monkeypatch):
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")  # noqa: PYI024
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 30, 1 << 30, 1 << 20))
    path = write_zip(tmp_path / "d.zip", [("a.jpg", b"A")])
    with pytest.raises(FindingsError, match="bytes are needed and 1,048,576 are free"):
        opened(path, tmp_path)
    assert [p for p in (tmp_path / "work").rglob("*") if p.is_file()] == []


def test_an_archive_beside_a_folder_of_its_name_is_left_out(tmp_path):
    folder = tmp_path / "in"
    write_zip(folder / "images.zip", [("a.jpg", b"A")])
    (folder / "images").mkdir()
    (folder / "images/a.jpg").write_bytes(b"B")
    done = opened(folder, tmp_path)
    assert "there is images beside it" in messages(done)
    tree = done.tree(tmp_path / "f")
    assert [tree.path(f).read_bytes() for f in tree.files] == [b"B"]


def test_archives_of_other_kinds_are_reported(tmp_path):
    (tmp_path / "d.7z").write_bytes(b"7z")
    with pytest.raises(FindingsError, match="of a kind that is not read"):
        opened(tmp_path / "d.7z", tmp_path)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "d.rar").write_bytes(b"Rar!")
    assert "of a kind that is not read" in messages(opened(folder, tmp_path))


@pytest.mark.parametrize("kind", ["d.zip", "d.tar", "d.tar.gz"])
def test_mutated_archives_give_findings_and_no_other_error(tmp_path, kind):
    path, noise = tmp_path / kind, [("a/b.jpg", b"B" * 300), ("c.png", bytes(range(200)))]
    if kind == "d.zip":
        write_zip(path, noise, compression=zipfile.ZIP_DEFLATED)
    else:
        write_tar(path, noise, "w" if kind == "d.tar" else "w:gz")
    whole, chance = path.read_bytes(), random.Random(7)
    refused = 0
    for _ in range(250):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        shutil.rmtree(tmp_path / "work", ignore_errors=True)
        try:
            opened(path, tmp_path)
        except FindingsError:
            refused += 1
        files = {p for p in tmp_path.rglob("*") if p.is_file()}
        assert all(p == path or p.is_relative_to(tmp_path / "work") for p in files)
    assert refused


@pytest.mark.parametrize("name", ["a.jpg", "a\\b.jpg", "./a//b.jpg", "滑雪/a b.jpg"])
def test_safe_names_are_kept(name):
    assert all(part not in {"", ".", ".."} for part in safe_parts(name))


@pytest.fixture
def custom(tmp_path):
    """A delivery of the Custom layout with one sample."""
    folder = tmp_path / "delivery"
    mask = np.zeros((48, 64), np.uint8)
    mask[10:40, 20:44] = 1
    pixels = np.random.default_rng(3).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    (folder / "img_dir/train").mkdir(parents=True)
    Image.fromarray(pixels).resize((64, 48)).save(folder / "img_dir/train/a.jpg")
    write_values(folder / "ann_dir/train/a.png", mask)
    return folder


@pytest.mark.parametrize("top", ["", "delivery/", "some/folder/"])
def test_the_custom_layout_in_a_zip_is_added(registry, sceneset, custom, tmp_path, top):
    files = [p for p in custom.rglob("*") if p.is_file()]
    members = [(f"{top}{p.relative_to(custom).as_posix()}", p.read_bytes()) for p in files]
    path = write_zip(tmp_path / "in/vendor.zip", members)
    done = sceneset("add", path, "--name", NAME, cwd=registry)
    assert done.code == 0, done.err
    subset = registry / "Insta360SemanticSeg" / NAME
    assert (subset / "img_dir/train/a.jpg").read_bytes() == files_of(custom)["a.jpg"]
    assert list((tmp_path / "in").iterdir()) == [path]


def test_two_zips_of_the_custom_layout_are_added(registry, sceneset, custom, tmp_path):
    for name in ("img_dir", "ann_dir"):
        shutil.make_archive(str(tmp_path / "in" / name), "zip", custom / name)
    done = sceneset("add", tmp_path / "in", "--name", NAME, "--dry-run", "--json", cwd=registry)
    assert json.loads(done.out)["samples"] == 1


def test_an_unsafe_member_stops_add_and_quarantine_leaves_it_out(
    registry, sceneset, custom, tmp_path
):
    members = [(p.relative_to(custom).as_posix(), p.read_bytes()) for p in custom.rglob("*.*")]
    path = write_zip(tmp_path / "in/v.zip", [*members, ("../evil.txt", b"!")])
    refused = sceneset("add", path, "--name", NAME, cwd=registry)
    assert refused.code == 1
    assert "v.zip (../evil.txt)" in refused.err
    words = ("add", path, "--name", NAME, "--quarantine", tmp_path / "q")
    assert sceneset(*words, cwd=registry).code == 0
    assert "archive-member" in (tmp_path / f"q/{NAME}.csv").read_text()


def files_of(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
