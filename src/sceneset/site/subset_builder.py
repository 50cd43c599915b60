"""Build the part of a catalogue that is about one subset: its pictures, data and facts."""

from collections.abc import Sequence
from functools import partial

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import read_selection
from sceneset.errors import BlobError, FindingsError, UndecodableError
from sceneset.imaging.thumbnail import small_picture
from sceneset.progress import Progress
from sceneset.reporting.scan_columns import STATISTICS_COLUMNS
from sceneset.reporting.statistics import Union, subset_statistics
from sceneset.schemas.base import Localized
from sceneset.schemas.finding import Finding
from sceneset.schemas.stats import SubsetStats
from sceneset.site.draw_pictures import PictureFiles, draw_pictures
from sceneset.site.facts import subset_facts
from sceneset.site.finding_places import without_hidden_names
from sceneset.site.folder import SiteFolder
from sceneset.site.kept_subsets import KeptSubsets, data_file_of
from sceneset.site.model import SubsetModel
from sceneset.site.options import SiteOptions, SiteReport
from sceneset.site.sample_keys import SampleKeys
from sceneset.site.samples import read_subset
from sceneset.site.sprites import split_into_sprites, write_sprite
from sceneset.site.subset_data import TextOf, subset_data
from sceneset.storage.picture_store import PictureStore
from sceneset.threads import map_in_threads
from sceneset.versions.local_files import LocalFiles

LARGE_SIDE = 1280
_LARGE_QUALITY = 78


class SubsetBuilder:
    """Writes the files of subsets, one after the other."""

    def __init__(
        self,
        catalog: Catalog,
        folder: SiteFolder,
        store: PictureStore,
        files: LocalFiles,
        *,
        options: SiteOptions,
        report: SiteReport,
        progress: Progress,
    ) -> None:
        self._catalog, self._folder, self._store = catalog, folder, store
        self._files, self._options, self._report = files, options, report
        self._progress = progress
        self._findings: dict[str, dict[tuple[str, str], list[tuple[Finding, str]]]] = {}
        for found in without_hidden_names(catalog, options.findings, options.left_out):
            if found.stem and found.phase and not found.waived:
                of_subset = self._findings.setdefault(found.subset, {})
                key = (str(found.phase), found.stem)
                of_subset.setdefault(key, []).append((found, options.translate(found.message)))
        self._kept = KeptSubsets(catalog, folder, options.left_out, has_large=options.has_large)

    def build(self, name: str) -> SubsetModel:
        """Write the files of a subset, unless they are current; return what pages show of it.

        Raises:
            FindingsError: A file of the subset can't be read.
        """
        findings = self._findings.get(name, {})
        state = self._kept.state(name, findings)
        model = self._kept.read(name, state)
        if model is None:
            with self._catalog.shared_reads():
                model = self._build(name, findings, state)
        self._report.samples += model.keys.number
        self._report.missing += model.missing
        self._report.withdrawn += model.withdrawn
        self._report.restricted += model.restricted
        return model

    def _build(self, name: str, findings: TextOf, state: str) -> SubsetModel:
        shown = read_subset(self._catalog, name, self._options.left_out)
        pictures = [sample.files for sample in shown.samples]
        undrawn = self._undrawn(pictures)
        wanted: list[tuple[str, str | None]] = [(p.image, p.image_md5) for p in undrawn]
        wanted += [(p.mask, p.mask_md5) for p in undrawn]
        self._report.fetched += self._options.fetch(self._files, wanted)
        reasons = draw_pictures(
            self._store,
            undrawn,
            self._files.read,
            self._catalog.params.limits,
            total=len(undrawn),
            progress=self._progress,
        )
        self._report.problems = sorted({*self._report.problems, *reasons.values()})[:10]
        problems = {
            md5: Localized(en=text, zh=self._options.translate(text))
            for md5, text in reasons.items()
        }
        missing = self._store.missing((p.image_md5 for p in undrawn), (p.outline for p in undrawn))
        write = partial(
            write_sprite, self._folder, store=self._store, missing=missing, problems=problems
        )
        sprites = list(map_in_threads(write, split_into_sprites(pictures)))
        large = self._write_large(pictures) if self._options.has_large else {}
        entry = self._catalog.entry(name)
        data = subset_data(
            shown,
            sprites,
            findings,
            suffix=entry.img_suffix,
            has_large=self._options.has_large,
        )
        self._folder.write(data_file_of(name), data)
        grids = self._store.grids(picture.outline for picture in pictures)
        model = SubsetModel(
            entry,
            subset_facts(shown.samples, grids),
            self._statistics(name),
            shown.withdrawn,
            shown.restricted,
            shown.unscanned,
            sum(p.image_md5 in problems or p.mask_md5 in problems for p in pictures),
            SampleKeys.of(sample.tag for sample in shown.samples),
        )
        if state and not any(missing) and all(large.values()):
            files = [file for sprite in sprites for file in sprite.files]
            self._kept.write(model, state, data, [*files, *large])
        return model

    def _statistics(self, name: str) -> SubsetStats | None:
        """Return the statistics of a subset; None if its scan is damaged or fits no tags."""
        try:
            selection = read_selection(self._catalog, name)
            table = self._catalog.scan(name, STATISTICS_COLUMNS)
            return subset_statistics(self._catalog, selection, table, Union())
        except FindingsError:
            return None

    def _undrawn(self, pictures: Sequence[PictureFiles]) -> list[PictureFiles]:
        images, masks = self._store.missing(
            (p.image_md5 for p in pictures), (p.outline for p in pictures)
        )
        return [p for p in pictures if p.image_md5 in images or p.outline in masks]

    def _write_large(self, pictures: Sequence[PictureFiles]) -> dict[str, bool]:
        """Write the large pictures; return whether there is one, by name."""
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

        for picture, webp in zip(new, map_in_threads(draw, new), strict=True):
            if webp is not None:
                self._folder.write(names[picture], webp)
        return {name: self._folder.has(name) for name in names.values()}
