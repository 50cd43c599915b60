"""The store of thumbnails and outlines."""

import sqlite3
from contextlib import closing

import pytest

from sceneset.storage.picture_store import (
    Outline,
    OutlineKey,
    PictureStore,
    Thumb,
    forget_pictures,
)

THUMB = Thumb(192, 144, b"webp-of-a-person")
OUTLINE = Outline(960, 720, "M1 1l2+2z", "", "", b"\1" * 256)
KEY = OutlineKey("b" * 32, 6)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep/pictures.db"


def fill(path) -> None:
    with closing(PictureStore.open(path)) as store:
        store.add([("a" * 32, THUMB)], [(KEY, OUTLINE)])


def test_pictures_are_found_by_hash_and_orientation(path):
    fill(path)
    other = KEY._replace(orientation=1)
    with closing(PictureStore.open(path)) as store:
        assert store.thumbs(["a" * 32, "c" * 32]) == {"a" * 32: THUMB}
        assert store.outlines([KEY, other]) == {KEY: OUTLINE}
        assert store.grids([KEY, other]) == {KEY: OUTLINE.grid}
        assert store.missing(["a" * 32, "c" * 32], [KEY, other]) == ({"c" * 32}, {other})


def test_more_hashes_than_a_statement_takes_are_looked_up(path):
    names = [f"{n:032x}" for n in range(40_000)]
    with closing(PictureStore.open(path)) as store:
        store.add([(name, THUMB) for name in names], [])
        assert store.missing([*names, "x"], []) == ({"x"}, set())


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_damaged_store_is_replaced(path, content):
    fill(path)
    path.write_bytes(content)
    with closing(PictureStore.open(path)) as store:
        assert store.thumbs(["a" * 32]) == {}
        store.add([("a" * 32, THUMB)], [])


def test_store_of_another_version_is_replaced(path):
    fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    with closing(PictureStore.open(path)) as store:
        assert store.thumbs(["a" * 32]) == {}


def test_forgotten_pictures_leave_no_bytes_in_the_file(path):
    fill(path)
    assert b"webp-of-a-person" in path.read_bytes()
    assert forget_pictures(path, ["a" * 32, KEY.md5, "c" * 32]) == 2
    assert all(b"webp-of-a-person" not in file.read_bytes() for file in path.parent.iterdir())
    with closing(PictureStore.open(path)) as store:
        assert store.missing(["a" * 32], [KEY]) == ({"a" * 32}, {KEY})


def test_nothing_is_created_when_there_is_no_store(path):
    assert forget_pictures(path, ["a" * 32]) == 0
    assert not path.exists()
