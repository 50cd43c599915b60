"""WebDataset: tar shards in which the files of a sample share a key.

The key is the path up to the first dot of the file's name: key.jpg, key.png (the mask), key.json.
Shards are extracted like any archive, so each one is a folder here.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sceneset.counts import counted
from sceneset.errors import FindingsError, fail
from sceneset.formats.hugging_face import MASK_NAMES
from sceneset.formats.json_files import MAX_IMAGE_JSON, read_json
from sceneset.formats.mask_folders import report_lone_files
from sceneset.formats.own_labels import labels_of
from sceneset.formats.tree import Tree, phase_of
from sceneset.formats.types import FormatSample, MaskFile, Options, Report
from sceneset.schemas.finding import finding
from sceneset.schemas.terms import Phase
from sceneset.storage.files import read_text

_IMAGES = ("jpg", "jpeg", "webp", "bmp", "image.jpg", "image.png", "img.jpg", "img.png")
_MASKS = tuple(f"{name}.png" for name in MASK_NAMES)
_LOOKED_AT = 300  # files, to recognize the format
_MAX_TEXT = 1 << 20  # bytes of a caption


@dataclass(slots=True)
class _Item:
    """The files with one key, by what follows the key."""

    files: dict[str, str] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)

    def pair(self) -> tuple[str | None, str | None]:
        """Return the image and the mask."""
        image = next((self.files[e] for e in _IMAGES if e in self.files), None)
        mask = next((self.files[e] for e in _MASKS if e in self.files), None)
        plain = self.files.get("png")
        if image is None:
            return plain, mask  # key.png with key.mask.png
        return image, mask or plain


class _WebDataset:
    name = "webdataset"
    title = "WebDataset tar shards"
    loses = "other members of the tar files"

    def detect(self, tree: Tree) -> str | None:
        inside = (file for file in tree.files if _shard_of(file, tree) is not None)
        items = _items(list(islice(inside, _LOOKED_AT)))
        pairs = [pair for pair in (item.pair() for item in items.values()) if all(pair)]
        if not pairs or 2 * len(pairs) < len(items):
            return None
        shards = counted(len(tree.tars), "tar archive")
        return f"{shards} in which samples have files of one key, for example {pairs[0][0]}"

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        del options
        items = _items(tree.files)
        if not any(all(item.pair()) for item in items.values()):
            fail("layout", "no image has a mask with the same key", file=tree.root.name)
        first: dict[str, str] = {}
        for key, item in items.items():
            image, mask = item.pair()
            inner = _inner_key(key, tree)
            for file in item.repeated:
                _broken(report, f"the key {inner} has two files of this kind", file)
            if image is None or mask is None:
                report_lone_files(filter(None, [image]), filter(None, [mask]), report)
                continue
            if inner in first:
                _broken(report, f"the key {inner} is in {first[inner]} too", image)
                continue
            first[inner] = image
            yield _sample(tree, key, inner, item, report)


def _shard_of(file: str, tree: Tree) -> str | None:
    """Return the folder that stands for the tar archive of a file; None if it is in none."""
    folder = file
    while folder := folder.rpartition("/")[0]:
        if folder in tree.tars:
            return folder
    return "" if "" in tree.tars else None


def _items(files: list[str]) -> dict[str, _Item]:
    items: dict[str, _Item] = defaultdict(_Item)
    for file in files:
        folder, slash, name = file.rpartition("/")
        key, dot, ending = name.partition(".")
        if not key or not dot:
            continue
        item, ending = items[f"{folder}{slash}{key}"], ending.lower()
        if ending in item.files:
            item.repeated.append(file)
        else:
            item.files[ending] = file
    return {key: item for key, item in items.items() if any(item.pair())}


def _inner_key(key: str, tree: Tree) -> str:
    """Return a key as the shard has it, without the folder that stands for the shard."""
    shard = _shard_of(key, tree)
    return key[len(shard) + 1 :] if shard else key


def _sample(tree: Tree, key: str, inner: str, item: _Item, report: Report) -> FormatSample:
    image, mask = item.pair()
    content = _content(tree, item.files.get("json"), report)
    caption = _caption(tree, item.files.get("txt"), report)
    words = [content.get(name) for name in ("scenes", "scene", "category", "label")]
    flat = [w for word in words for w in (word if isinstance(word, list) else [word])]
    source = content.get("source")
    split = content.get("phase") or content.get("split")
    sentences = (content.get("caption"), content.get("text"), caption)
    shard = key[: -len(inner)].rstrip("/") or tree.root.name  # a delivery of one shard
    phase = (
        (phase_of(split) if isinstance(split, str) else None)
        or phase_of(inner.rpartition("/")[0])
        or phase_of(shard)
        or Phase.TRAIN
    )
    return FormatSample(
        image=image or "",
        phase=phase,
        mask=MaskFile(mask or ""),
        annotation=mask or "",
        source=(
            " ".join(source.split())[:200] if isinstance(source, str) else inner.rpartition("/")[0]
        ),
        scenes=tuple(w for w in flat if isinstance(w, str) and w),
        captions=tuple(s for s in sentences if isinstance(s, str) and s),
        labels=labels_of(content),
    )


def _content(tree: Tree, file: str | None, report: Report) -> dict[str, Any]:
    """Return the JSON of a sample; report it if it can't be read."""
    if file is None:
        return {}
    try:
        content = read_json(tree, file, limit=MAX_IMAGE_JSON)
    except FindingsError as error:
        for found in error.findings:
            report(found)
        return {}
    return content if isinstance(content, dict) else {}


def _caption(tree: Tree, file: str | None, report: Report) -> str:
    if file is None:
        return ""
    try:
        return read_text(tree.path(file), file, limit=_MAX_TEXT)
    except FindingsError as error:
        for found in error.findings:
            report(found)
        return ""


def _broken(report: Report, message: str, file: str) -> None:
    hint = "write each key once; --quarantine leaves the file out"
    report(finding("annotation-broken", message, file=file, hint=hint))


FORMAT = _WebDataset()
