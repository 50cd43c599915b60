"""The cache of blobs keeps its bound, whoever writes, and never returns damaged bytes."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sceneset.storage.bounded_cache import BoundedCache
from sceneset.storage.files import md5_of


def blobs(count: int, size: int = 100) -> dict[str, bytes]:
    return {md5_of(data): data for data in (b"%0*d" % (size, n) for n in range(count))}


def stored(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("??/*"))


def test_cache_returns_what_was_stored(tmp_path):
    cache = BoundedCache(tmp_path / "new", 10_000)
    [(md5, data)] = blobs(1).items()
    assert cache.get(md5) is None
    cache.put(md5, data)
    cache.put(md5, data)
    assert cache.get(md5) == data
    assert stored(tmp_path / "new") == 100


def test_cache_deletes_damaged_blobs(tmp_path):
    cache = BoundedCache(tmp_path, 10_000)
    [(md5, data)] = blobs(1).items()
    cache.put(md5, data)
    [path] = tmp_path.glob("??/*")
    path.write_bytes(data[:-1])
    assert cache.get(md5) is None
    assert not path.exists()


@pytest.mark.parametrize("limit", [0, 99, 100, 350, 1000])
def test_cache_keeps_its_bound(limit, tmp_path):
    cache = BoundedCache(tmp_path, limit)
    for md5, data in blobs(40).items():
        cache.put(md5, data)
        assert stored(tmp_path) <= limit
    assert stored(tmp_path) >= limit * 0.6 - 100
    assert (cache.get(md5) is not None) is (limit >= 100), "the last one stays"


def test_cache_keeps_what_was_used_last(tmp_path):
    cache = BoundedCache(tmp_path, 1000)
    some = blobs(11)
    for age, (md5, data) in enumerate(list(some.items())[:10]):
        cache.put(md5, data)
        os.utime(tmp_path / md5[:2] / md5[2:], (age + 1, age + 1))
    first, second, *_ = some
    assert cache.get(first)
    cache.put(*list(some.items())[10])
    assert cache.get(first)
    assert cache.get(second) is None


@pytest.mark.parametrize("text", [b"", b"x", b"100", b"99999999"])
def test_cache_measures_the_folder_when_its_count_is_lost_or_too_large(text, tmp_path):
    cache = BoundedCache(tmp_path, 1000)
    for md5, data in list(blobs(30).items())[:5]:
        cache.put(md5, data)
    if text != b"100":
        (tmp_path / "bytes").write_bytes(text)
    for md5, data in list(blobs(30).items())[5:10]:
        cache.put(md5, data)
    assert stored(tmp_path) == 1000, "nothing was removed before the bound"


def test_several_writers_keep_the_bound(tmp_path):
    some = blobs(300)

    def write(start: int) -> None:
        cache = BoundedCache(tmp_path, 3000)
        for md5, data in list(some.items())[start::3]:
            cache.put(md5, data)
            assert cache.get(md5) in {None, data}

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, [0, 1, 2, 0, 1, 2]))
    assert 0 < stored(tmp_path) <= 3000
    assert not list(tmp_path.glob("**/.*"))
