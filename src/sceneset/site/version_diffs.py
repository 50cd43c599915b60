"""Pictures of what changed between a version and the one before, for the page of the version.

Versions never change. So what was drawn completely is kept beside the data of the catalogue, and
drawn again only if other samples may be shown.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from importlib.metadata import version as installed_version
from itertools import pairwise
from typing import Any

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.progress import no_progress
from sceneset.reporting.change_values import changes_html
from sceneset.reporting.draw_diff import draw_diff
from sceneset.schemas.provenance import Restriction
from sceneset.site.folder import SiteFolder
from sceneset.site.model import LANGUAGES, SiteModel, SubsetModel
from sceneset.versions.diff import Change, ChangeKind, compare
from sceneset.versions.mask_iou import compare_masks

MOST_CHANGES = 12
"""Changes of each kind that are shown."""
MOST_MASKS = 500
"""Changed masks among which those with the lowest IoU are found."""


def version_diffs(
    model: SiteModel,
    folder: SiteFolder,
    states: Mapping[str, Catalog],
    left_out: Collection[Restriction],
    *,
    count: int,
) -> dict[str, dict[str, str]]:
    """Return a part of a page for each of the last versions, by number and language.

    Files are read from this machine only; pictures of others are gray and say so. A version has no
    part if none of its pictures can be drawn.

    Args:
        model: The registry.
        folder: The catalogue, in which the pictures are written.
        states: The versions that can be read, by number.
        left_out: Samples with one of these restrictions are not shown.
        count: How many versions.
    """
    found: dict[str, dict[str, str]] = {}
    numbers = [record.version for record in model.versions]
    pairs = [*pairwise(numbers)]
    pairs = [pair for pair in pairs[-count:] if count and states.keys() >= {*pair}]
    hidden = _hidden_images(model.catalog, model.subsets) if pairs else set[str]()
    for before, after in pairs:
        work = _Diff(model, folder, states[before], states[after], left_out, hidden)
        if part := work.part():
            found[after] = part
    return found


def _hidden_images(catalog: Catalog, subsets: Iterable[SubsetModel]) -> set[str]:
    """Return the hashes of the images that the shown state has, but pages do not show."""
    hidden: set[str] = set()
    for subset in subsets:
        if not (subset.restricted or subset.withdrawn):
            continue
        places = subset.keys.places()
        scan = catalog.scan(subset.name, ("phase", "stem", "image_md5"))
        columns = (scan[name].to_pylist() for name in ("phase", "stem", "image_md5"))
        hidden |= {
            md5.hex()
            for phase, stem, md5 in zip(*columns, strict=True)
            if f"{phase}/{stem}" not in places
        }
    return hidden


class _Diff:
    """What changed between two versions."""

    def __init__(  # noqa: PLR0917
        self,
        model: SiteModel,
        folder: SiteFolder,
        old: Catalog,
        new: Catalog,
        left_out: Collection[Restriction],
        hidden: set[str],
    ) -> None:
        self._model, self._folder, self._old, self._new = model, folder, old, new
        self._left_out, self._hidden = left_out, hidden
        self._pictures: set[str] = set()

    def part(self) -> dict[str, str]:
        """Return the part of the page in each language; {} if there is no picture."""
        record = f"data/diff/{self._digest()}.json"
        if parts := self._known(record):
            return parts
        try:
            changes = [
                change for change in compare(self._old, self._new).changes if self._may(change)
            ]
            parts, is_complete = self._draw(changes)
        except FindingsError:
            return {}
        if not self._pictures:
            return {}
        if is_complete:
            values = {"parts": parts, "pictures": sorted(self._pictures)}
            self._folder.write(record, json.dumps(values, ensure_ascii=False, indent=0) + "\n")
        return parts

    def _may(self, change: Change) -> bool:
        return not any(s and s.image in self._hidden for s in (change.old, change.new))

    def _digest(self) -> str:
        """Return the digest of everything that decides what is drawn."""
        origins = [state.origin.commit if state.origin else "" for state in (self._old, self._new)]
        withdrawn = self._model.catalog.withdrawn
        state: list[Any] = [
            installed_version("sceneset"),
            MOST_CHANGES,
            origins,
            sorted(map(str, self._left_out)),
        ]
        state += [sorted(self._hidden), sorted(withdrawn.files), sorted(withdrawn.pictures)]
        return blake2b(json.dumps(state).encode(), digest_size=10).hexdigest()

    def _known(self, record: str) -> dict[str, str]:
        """Return what an earlier build drew, if all of its files are there."""
        path = self._folder.folder / record
        try:
            values = json.loads(path.read_text("utf-8"))
            parts, pictures = values["parts"], values["pictures"]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        if not all(self._folder.has(picture) for picture in pictures):
            return {}
        for name in (record, *pictures):
            self._folder.keep(name)
        return {language: parts[language] for language in LANGUAGES}

    def _draw(self, changes: Sequence[Change]) -> tuple[dict[str, str], bool]:
        """Return the part in each language, and whether all pictures could be drawn."""
        masks = [change for change in changes if change.kind is ChangeKind.MASK][:MOST_MASKS]
        overlaps = compare_masks(self._new, masks, fetch=False, progress=no_progress)
        parts, is_complete = {}, True
        for language in LANGUAGES:
            translate: Callable[[str], str] = self._model.translate if language == "zh" else str
            diff = draw_diff(
                self._old,
                self._new,
                changes,
                overlaps,
                limit=MOST_CHANGES,
                left_out=self._left_out,
                language=language,
                translate=translate,
            )
            is_complete = is_complete and not diff.problems
            parts[language] = changes_html(diff, self._write, language)
        return parts, is_complete

    def _write(self, kind: str, data: bytes) -> str:
        """Write a picture and return its address on the page of a version."""
        digest = blake2b(data, digest_size=16).hexdigest()
        path = f"thumbs/{digest[:2]}/{digest}.{kind}"
        self._folder.write(path, data)
        self._pictures.add(path)
        return f"../../{path}"
