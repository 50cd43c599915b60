"""Export to WebDataset: tar shards with key.jpg, key.png (the mask) and key.json.

The archives are USTAR without times, owners and extensions: the same samples give the same bytes.
"""

import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import BinaryIO

from sceneset.exports.fields import fields_of
from sceneset.exports.output import Output
from sceneset.exports.shards import Packed, Shard, cut, mixed, write_shards
from sceneset.exports.types import ExportOptions, ExportSample, Key, Selection, by_phase
from sceneset.storage.files import md5_of

_MAX_SUBSET, _MAX_STEM, _HASH = 140, 80, 8
"""Bytes of a key's parts: USTAR holds 155 of the folders and 100 of the name with its suffix."""
_BLOCK = 512


class _WebDataset:
    name = "webdataset"
    title = "WebDataset tar shards"
    loses = ""
    takes = frozenset({"shard_bytes"})

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:
        """Write <phase>-<number>.tar; the samples are in a fixed mixed order."""
        names = _keys(selection.samples)

        def is_complete(shard: Shard) -> bool:
            return _holds(out, shard, names)

        def write(file: BinaryIO, packed: Iterator[Packed]) -> None:
            form = tarfile.USTAR_FORMAT
            with tarfile.open(fileobj=file, mode="w", format=form, encoding="utf-8") as tar:
                for sample, (image, mask) in packed:
                    contents = (image, mask, _json(sample))
                    for name, data in zip(_members(sample, names), contents, strict=True):
                        member = tarfile.TarInfo(name)
                        member.size = len(data)
                        tar.addfile(member, io.BytesIO(data))

        write_shards(_plan(selection, options), out, is_complete, write)

    def count(self, out: Output) -> int:
        """Count the keys in the archives that have an image, a mask and a JSON file."""
        return sum(
            len(list(members)) == len(_SUFFIXES)
            for path in out.files(".", ".tar")
            for _, members in groupby(_names(out, path), lambda name: name.partition(".")[0])
        )


_SUFFIXES = ("image", "mask", "json")


def _plan(selection: Selection, options: ExportOptions) -> list[Shard]:
    return [
        Shard(f"{phase}-{number:06}.tar", samples, size)
        for phase, group in by_phase(selection.samples).items()
        for number, (samples, size) in enumerate(cut(mixed(group), _size, options))
    ]


def _size(sample: ExportSample) -> int:
    """Return the bytes of a sample in a tar file, where each member has a head and is padded."""
    sizes = (sample.image_bytes, sample.mask_bytes, len(_json(sample)))
    return sum(_BLOCK + -(-size // _BLOCK) * _BLOCK for size in sizes)


def _keys(samples: list[ExportSample]) -> Mapping[Key, str]:
    """Return the key of each sample: <phase>/<subset>/<stem>, without dots, which would end it."""
    plain = {sample.key: sample.stem.replace(".", "_") for sample in samples}
    counts = Counter((*key[:2], stem.casefold()) for key, stem in plain.items())
    names = {}
    for key, stem in plain.items():
        subset, phase, original = key
        is_clear = stem == original or counts[subset, phase, stem.casefold()] == 1
        limit = _MAX_STEM if is_clear else 0
        names[key] = (
            f"{phase}/{_short(subset, subset, _MAX_SUBSET)}/{_short(stem, original, limit)}"
        )
    return names


def _short(text: str, original: str, limit: int) -> str:
    """Return a name; if it has more bytes than the limit, cut and with a part of its hash."""
    if len(text.encode()) <= limit:
        return text
    start = text.encode()[: _MAX_STEM - _HASH - 1].decode(errors="ignore")
    return f"{start}-{md5_of(original.encode())[:_HASH]}"


def _members(sample: ExportSample, names: Mapping[Key, str]) -> tuple[str, str, str]:
    """Return the names of image, mask and JSON; a PNG image is key.image.png."""
    name = names[sample.key]
    image = f"{name}.image.png" if sample.suffix == ".png" else f"{name}{sample.suffix}"
    return image, f"{name}.png", f"{name}.json"


def _json(sample: ExportSample) -> bytes:
    return json.dumps(fields_of(sample), ensure_ascii=False).encode()


def _holds(out: Output, shard: Shard, names: Mapping[Key, str]) -> bool:
    """Return whether an archive holds exactly the samples of its shard, byte for byte."""
    expected = []
    for sample in shard.samples:
        digests = sample.image_md5, sample.mask_md5, md5_of(_json(sample))
        expected += list(zip(_members(sample, names), digests, strict=True))
    try:
        with tarfile.open(out.to / shard.path, "r:", encoding="utf-8") as tar:
            return [(member.name, _digest(tar, member)) for member in tar] == expected
    except tarfile.TarError:
        return False


def _digest(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = tar.extractfile(member)
    return md5_of(file.read()) if file else ""


def _names(out: Output, path: str) -> Iterator[str]:
    with tarfile.open(out.to / path, "r:", encoding="utf-8") as tar:
        for member in tar:
            yield member.name


EXPORTER = _WebDataset()
