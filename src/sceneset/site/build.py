"""Build the catalogue of a registry: pictures and data subset by subset, then the pages.

Memory holds one subset at a time. Pictures are drawn once and kept by content hash, sprites are
named by their content, and other files are written only if they change.
"""

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobError, FindingsError, UndecodableError
from sceneset.imaging.thumbnail import small_picture
from sceneset.paths import PICTURE_STORE
from sceneset.progress import Progress, no_progress
from sceneset.schemas.base import Localized
from sceneset.schemas.finding import Finding
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.stats import SubsetStats
from sceneset.schemas.version import Version
from sceneset.site.draw_pictures import PictureFiles, draw_pictures
from sceneset.site.evaluations import EvaluationModel
from sceneset.site.extras import add_extras
from sceneset.site.facts import Facts, subset_facts
from sceneset.site.finding_places import without_hidden_names
from sceneset.site.folder import SiteFolder
from sceneset.site.model import SiteModel, SubsetModel
from sceneset.site.pages import pages_of
from sceneset.site.sample_keys import SampleKeys
from sceneset.site.samples import ShownSubset, read_subset
from sceneset.site.sprites import split_into_sprites, write_sprite
from sceneset.site.subset_data import subset_data
from sceneset.storage.picture_store import PictureStore
from sceneset.versions.local_files import LocalFiles

LARGE_SIDE = 1280
_LARGE_QUALITY = 78
_BATCH = 32  # large pictures drawn at a time

Fetch = Callable[[LocalFiles, list[tuple[str, str | None]]], int]
"""Downloads files; returns their number."""


def _fetch_nothing(_files: LocalFiles, _wanted: list[tuple[str, str | None]]) -> int:
    return 0


@dataclass
class SiteOptions:
    """What a catalogue shows, and how."""

    left_out: Collection[Restriction] = ()
    """Samples with one of these restrictions are not shown."""
    has_large: bool = False
    """Whether a large picture of each sample is written."""
    diffs: int = 1
    """How many of the last versions have pictures of what changed."""
    fetch: Fetch = _fetch_nothing
    translate: Callable[[str], str] = str
    """Returns a message in Chinese."""
    title: str = ""
    state: str = ""
    repo: str = ""
    has_search: bool = False
    """See `SiteModel`."""
    findings: Sequence[Finding] = ()
    versions: Sequence[Version] = ()
    evaluations: Sequence[EvaluationModel] = ()
    """Runs of models; see `sceneset.site.evaluations`."""
    stats: Mapping[str, SubsetStats] = field(default_factory=dict)
    """Statistics of subsets, by name; none of a subset whose scan does not fit its tags."""


@dataclass
class SiteReport:
    """What a build did."""

    samples: int = 0
    missing: int = 0
    """Number of samples without a picture or an outline."""
    withdrawn: int = 0
    restricted: int = 0
    unread: list[str] = field(default_factory=list)
    """Subsets that are left out, because their entry, tags or scan can't be read."""
    fetched: int = 0
    pages: int = 0
    written: int = 0
    """Number of files that are new or changed."""
    deleted: int = 0
    problems: list[str] = field(default_factory=list)
    """Different reasons why pictures are missing."""


class _Subset(NamedTuple):
    """A subset while it is built."""

    shown: ShownSubset
    problems: dict[str, Localized]


def build_site(
    catalog: Catalog, to: Path, options: SiteOptions, *, progress: Progress = no_progress
) -> SiteReport:
    """Write or update the catalogue in a folder.

    Args:
        catalog: The registry.
        to: The folder.
        options: What is shown.
        progress: Called with the samples of each subset.

    Raises:
        FindingsError: The vocabulary or another file that all pages need can't be read.
        DestinationError: The folder has other content.
    """
    folder = SiteFolder(to)
    folder.open()
    report = SiteReport()
    files = LocalFiles(catalog)
    with closing(PictureStore.open(catalog.project / PICTURE_STORE)) as store:
        store.forget(catalog.withdrawn.files)
        builder = _Builder(catalog, folder, store, files, options, report, progress)
        subsets = []
        for name in catalog.names:
            try:
                subsets.append(builder.build(name))
            except FindingsError:  # the page of findings says why
                report.unread.append(name)
    model = SiteModel(
        catalog=catalog,
        title=options.title,
        state=options.state,
        repo=options.repo,
        has_search=options.has_search,
        subsets=subsets,
        findings=options.findings,
        versions=options.versions,
        evaluations=options.evaluations,
        unread=report.unread,
        has_large=options.has_large,
        translate=options.translate,
    )
    add_extras(model, folder, options.left_out, diffs=options.diffs)
    for subset in subsets:
        model.whole.merge(subset.facts.whole)
        for scene, facts in subset.facts.scenes.items():
            model.scenes.setdefault(scene, Facts()).merge(facts)
    for path, text in pages_of(model):
        folder.write(path, text)
        report.pages += path.endswith(".html")
    report.deleted = folder.delete_others()
    report.written = folder.written
    return report


class _Builder:
    """Writes the pictures and data of subsets."""

    def __init__(  # noqa: PLR0917
        self,
        catalog: Catalog,
        folder: SiteFolder,
        store: PictureStore,
        files: LocalFiles,
        options: SiteOptions,
        report: SiteReport,
        progress: Progress,
    ) -> None:
        self._catalog, self._folder, self._store = catalog, folder, store
        self._files, self._options, self._report = files, options, report
        self._progress = progress
        self._findings: dict[tuple[str, str, str], list[tuple[Finding, str]]] = {}
        for found in without_hidden_names(catalog, options.findings, options.left_out):
            if found.stem and found.phase and not found.waived:
                key = (found.subset, str(found.phase), found.stem)
                text = options.translate(found.message)
                self._findings.setdefault(key, []).append((found, text))

    def build(self, name: str) -> SubsetModel:
        """Write the files of a subset, and return what pages show of it."""
        shown = read_subset(self._catalog, name, self._options.left_out)
        pictures = [sample.files for sample in shown.samples]
        undrawn = self._undrawn(pictures)
        wanted: list[tuple[str, str | None]] = [(p.image, p.image_md5) for p in undrawn]
        wanted += [(p.mask, p.mask_md5) for p in undrawn]
        self._report.fetched += self._options.fetch(self._files, wanted)
        reasons = draw_pictures(
            self._store,
            pictures,
            self._files.read,
            self._catalog.params.limits,
            total=len(pictures),
            progress=self._progress,
        )
        problems = {
            md5: Localized(en=text, zh=self._options.translate(text))
            for md5, text in reasons.items()
        }
        write = partial(write_sprite, self._folder, store=self._store, problems=problems)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            sprites = list(pool.map(write, split_into_sprites(pictures)))
        if self._options.has_large:
            self._write_large(pictures)
        entry = self._catalog.entry(name)
        findings = {key[1:]: found for key, found in self._findings.items() if key[0] == name}
        data = subset_data(
            shown,
            sprites,
            findings,
            suffix=entry.img_suffix,
            has_large=self._options.has_large,
        )
        self._folder.write(f"data/{name}.js", data)
        missing = sum(p.image_md5 in problems or p.mask_md5 in problems for p in pictures)
        self._count(shown, missing, reasons.values())
        grids = self._store.grids(picture.outline for picture in pictures)
        return SubsetModel(
            entry,
            subset_facts(shown.samples, grids),
            self._options.stats.get(name),
            shown.withdrawn,
            shown.restricted,
            shown.unscanned,
            missing,
            SampleKeys.of(sample.tag for sample in shown.samples),
        )

    def _undrawn(self, pictures: Sequence[PictureFiles]) -> list[PictureFiles]:
        images, masks = self._store.missing(
            (p.image_md5 for p in pictures), (p.outline for p in pictures)
        )
        return [p for p in pictures if p.image_md5 in images or p.outline in masks]

    def _write_large(self, pictures: Sequence[PictureFiles]) -> None:
        names = {p: f"large/{p.image_md5[:2]}/{p.image_md5}.webp" for p in pictures}
        new = [p for p in pictures if not self._folder.has(names[p])]
        for picture in set(pictures) - set(new):
            self._folder.keep(names[picture])

        def draw(picture: PictureFiles) -> bytes | None:
            limits = self._catalog.params.limits
            try:
                data = self._files.read(picture.image, picture.image_md5)
                return small_picture(
                    data, picture.suffix, LARGE_SIDE, limits, quality=_LARGE_QUALITY
                ).webp
            except (BlobError, FindingsError, UndecodableError):
                return None  # the sprite has the reason

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(new), _BATCH):
                some = new[start : start + _BATCH]
                for picture, webp in zip(some, pool.map(draw, some), strict=True):
                    if webp is not None:
                        self._folder.write(names[picture], webp)

    def _count(self, shown: ShownSubset, missing: int, reasons: Iterable[str]) -> None:
        report = self._report
        report.samples += len(shown.samples)
        report.missing += missing
        report.withdrawn += shown.withdrawn
        report.restricted += shown.restricted
        report.problems = sorted({*report.problems, *reasons})[:10]
