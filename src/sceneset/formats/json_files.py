"""Read the JSON files of a delivery: bounded in size, depth and number."""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from sceneset.errors import FindingsError
from sceneset.formats.tree import Tree
from sceneset.schemas.finding import finding
from sceneset.storage.files import read_bytes

MAX_JSON = 4 << 30  # bytes; COCO's train2017 with all categories has 0.45 GB
_SMALL = 1 << 20
_CACHED = 16


def read_json(tree: Tree, file: str) -> object:
    """Return the content of a JSON file.

    Raises:
        FindingsError: The file is too large, is not UTF-8 or is not JSON; the finding names the
            line.
    """
    return _parsed(tree.path(file), file)


@lru_cache(maxsize=_CACHED)
def _parsed(path: Path, file: str) -> object:
    data = read_bytes(path, file, limit=MAX_JSON)
    try:
        return json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        message, row = "is nested too deeply", None
    except UnicodeDecodeError as error:
        message, row = f"is not UTF-8: {error.reason} at byte {error.start:,}", None
    except json.JSONDecodeError as error:
        is_cut = error.pos >= len(error.doc.rstrip()) - 1
        message = f"is not JSON: {error.msg}{' (the file is truncated)' if is_cut else ''}"
        row = error.lineno
    raise FindingsError(
        [finding("annotation-broken", message, file=file, row=row, hint="export the file again")]
    ) from None


def json_documents(tree: Tree) -> Iterator[tuple[str, object]]:
    """Yield the JSON files that are annotation files of a whole delivery, not one for each image.

    Files that can't be read are left out here; a format that needs one reports it.
    """
    files = tree.with_suffix(".json")
    stems = {image.rpartition("/")[2].rpartition(".")[0] for image in tree.images}
    for file in files:
        name = file.rpartition("/")[2].rpartition(".")[0]
        if name in stems and len(files) > 3:
            continue
        try:
            yield file, read_json(tree, file)
        except FindingsError:
            continue
