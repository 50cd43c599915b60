"""Read the JSON files of a delivery: bounded in size, depth and number."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from sceneset.errors import FindingsError, fail
from sceneset.formats.tree import Tree
from sceneset.schemas.finding import Finding, finding
from sceneset.storage.files import read_bytes

MAX_JSON = 4 << 30  # bytes; COCO's train2017 with all categories has 0.45 GB
_FEW = 3  # JSON files; they are read even if they are named like an image
MAX_IMAGE_JSON = 256 << 20
"""Most bytes of a JSON file about one image, which may contain the image."""
_MANY = 20  # JSON files in one folder; fewer are read to see what they are
_CACHED = 16


def read_json(tree: Tree, file: str, *, limit: int = MAX_JSON) -> object:
    """Return the content of a JSON file.

    Args:
        tree: The files of the delivery.
        file: Path of the file, relative to the delivery.
        limit: The most bytes that it may have.

    Raises:
        FindingsError: The file is too large, is not UTF-8 or is not JSON; the finding names the
            line.
    """
    return read_json_file(tree.path(file), file, limit=limit)


def read_json_file(path: Path, file: str, *, limit: int = MAX_JSON) -> object:
    """Return the content of a JSON file that need not be part of a delivery; see ``read_json``.

    Args:
        path: The file.
        file: Its name in findings.
        limit: The most bytes that it may have.
    """
    try:
        status = path.stat()
        version = (status.st_mtime_ns, status.st_size, status.st_ino)
    except OSError:
        version = (0, 0, 0)  # reading says what is wrong
    return _parsed(path, file, limit, version)


def forget_json() -> None:
    """Free the memory of the JSON files that were read; they are read again if needed."""
    _parsed.cache_clear()


@lru_cache(maxsize=_CACHED)
def _parsed(path: Path, file: str, limit: int, version: tuple[int, int, int]) -> object:
    del version  # only tells contents apart
    data = read_bytes(path, file, limit=limit)
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode(
            json.detect_encoding(data), "surrogatepass"
        )
        del data  # the text is as large
        return json.loads(text)
    except RecursionError:
        message, row = "is nested too deeply", None
    except UnicodeDecodeError as error:
        message, row = f"is not UTF-8: {error.reason} at byte {error.start:,}", None
    except json.JSONDecodeError as error:
        is_cut = error.pos >= len(error.doc.rstrip()) - 1 or error.msg.startswith("Unterminated")
        message = f"is not JSON: {error.msg}{' (the file is truncated)' if is_cut else ''}"
        row = error.lineno
    except ValueError:  # a number of more than 4,300 digits
        message, row = "has a number that is too long", None
    raise FindingsError(
        [finding("annotation-broken", message, file=file, row=row, hint="export the file again")]
    ) from None


def json_documents(tree: Tree) -> Iterator[tuple[str, object]]:
    """Yield the JSON files that are annotation files of a whole delivery, not one for each image.

    Files that can't be read are left out; see ``json_problems``.
    """
    for file in _common_files(tree):
        with suppress(FindingsError):
            yield file, read_json(tree, file)


def refuse_without(files: Sequence[object], tree: Tree, missing: str) -> None:
    """Refuse a delivery without an annotation file of the format, or with broken JSON files.

    Args:
        files: The files of the format.
        tree: The delivery.
        missing: What the delivery does not have, for the message.

    Raises:
        FindingsError: There is no file, or one can't be read.
    """
    if problems := json_problems(tree):
        raise FindingsError(problems)
    if not files:
        fail("layout", missing, file=tree.root.name)


def json_problems(tree: Tree) -> list[Finding]:
    """Return why JSON files of a whole delivery can't be read."""
    found: list[Finding] = []
    for file in _common_files(tree):
        try:
            read_json(tree, file)
        except FindingsError as error:
            found += error.findings
    return found


def _common_files(tree: Tree) -> list[str]:
    files = tree.with_suffix(".json")
    if len(files) <= _FEW:
        return files
    names = {image.rpartition("/")[2] for image in tree.images}
    names |= {name.rpartition(".")[0] for name in names}  # Supervisely writes a.jpg.json
    folders: dict[str, list[str]] = defaultdict(list)
    for file in files:
        folder, _, name = file.rpartition("/")
        if name.rpartition(".")[0] not in names:
            folders[folder].append(file)
    return sorted(f for own in folders.values() if not _is_for_each_image(tree, own) for f in own)


def _is_for_each_image(tree: Tree, files: list[str]) -> bool:
    """Return whether the files of a folder seem to be about one image each; looks at the first."""
    if len(files) <= _MANY:
        return False
    try:
        content = read_json(tree, files[0], limit=MAX_IMAGE_JSON)
    except FindingsError:
        return False
    if not isinstance(content, dict) or isinstance(content.get("images"), list):
        return False
    return bool({"shapes", "objects", "item", "image"} & content.keys())
