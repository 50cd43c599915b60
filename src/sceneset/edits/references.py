"""Let params.yaml and waivers follow samples and subsets that get other names."""

from collections.abc import Callable, Container, Mapping

from sceneset.catalog.provenance import renamed
from sceneset.catalog.reader import Catalog
from sceneset.catalog.sample_choice import Key
from sceneset.catalog.tags_csv import tags_text
from sceneset.edits.draft import Draft
from sceneset.paths import DATA_ROOT
from sceneset.rules.policy import WAIVERS_FILE
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.subset import Subset
from sceneset.schemas.terms import Kind
from sceneset.schemas.waiver import Waiver, Waivers
from sceneset.storage.files import decoded
from sceneset.storage.yaml_files import loads
from sceneset.storage.yaml_scalars import Path, change_scalars

Place = tuple[str, str, str]
"""Subset, phase and stem."""
FileNames = Mapping[str, str]
"""New paths of files of the data root, by their old paths."""


def follow_samples(
    catalog: Catalog, draft: Draft, places: Mapping[Place, Place], files: FileNames
) -> None:
    """Note new names of samples in the selections of params.yaml and in waivers.

    Args:
        catalog: The registry.
        draft: The change so far; it may have changed the same files.
        places: The new place of each moved or renamed sample.
        files: The new paths of their images and masks.
    """

    def in_params(path: Path, value: str) -> str | None:
        if not _lists_samples(path):
            return None
        subset, _, rest = value.partition("/")
        phase, _, stem = rest.partition("/")
        new = places.get((subset, phase, stem))
        return "/".join(new) if new else None

    def of_waiver(waiver: Waiver, field: str) -> str | None:
        phase, _, stem = waiver.sample.partition("/")
        new = places.get((waiver.subset, phase, stem))
        if field == "sample" and new:
            return "/".join(new[1:])
        return files.get(waiver.file) if field == "file" else None

    _change(catalog, draft, "params.yaml", in_params)
    _change_waivers(catalog, draft, of_waiver)


def file_names(name: str, old: ScanRow, new: ScanRow) -> dict[str, str]:
    """Return the new paths of the image and mask of a sample, by the old ones."""
    folder = f"{DATA_ROOT}/{name}"
    return {
        f"{folder}/img_dir/{old.phase}/{old.image}": f"{folder}/img_dir/{new.phase}/{new.image}",
        f"{folder}/ann_dir/{old.phase}/{old.mask}": f"{folder}/ann_dir/{new.phase}/{new.mask}",
    }


def with_renamed_exceptions(
    entry: Subset,
    keys: Mapping[Key, Key | None],
    *,
    stems: Container[str] | None = None,
) -> Subset:
    """Return an entry whose provenance follows samples with other names; see ``renamed``."""
    if not entry.provenance or not entry.provenance.exceptions:
        return entry
    names = {(str(phase), stem): new for (phase, stem), new in keys.items()}
    provenance = renamed(entry.provenance, names, stems=stems)
    return entry.model_copy(update={"provenance": provenance})


def follow_subset(catalog: Catalog, draft: Draft, old: str, new: str) -> None:
    """Note the new name of a subset in the selections of params.yaml and in waivers."""

    def in_params(path: Path, value: str) -> str | None:
        if path[:1] != ("selections",):
            return None
        is_name = path[2:3] == ("subsets",) or path[2:4] == ("exclude", "subsets")
        if is_name and value == old:
            return new
        is_sample = _lists_samples(path) and value.startswith(f"{old}/")
        return f"{new}/{value.removeprefix(f'{old}/')}" if is_sample else None

    def of_waiver(waiver: Waiver, field: str) -> str | None:
        if waiver.subset != old:
            return None
        if field == "subset":
            return new
        file = waiver.file
        for before, after in renamed_files(old, new):
            if field == "file" and (file == before or file.startswith(f"{before}/")):
                return after + file.removeprefix(before)
        return None

    _change(catalog, draft, "params.yaml", in_params)
    _change_waivers(catalog, draft, of_waiver)
    _change_sources(catalog, draft, old, new)


def _change_sources(catalog: Catalog, draft: Draft, old: str, new: str) -> None:
    """Let the sources of crops follow their originals."""
    for name in catalog.names:
        if name == old or catalog.entry(name).kind is not Kind.CROP:
            continue
        tags = catalog.tags(name)
        if any(tag.source.startswith(f"{old}/") for tag in tags):
            changed = (
                tag.model_copy(update={"source": f"{new}/{tag.source.removeprefix(f'{old}/')}"})
                if tag.source.startswith(f"{old}/")
                else tag
                for tag in tags
            )
            draft.write(catalog.paths.tags(name), tags_text(changed).encode())


def follow_scenes(catalog: Catalog, draft: Draft, new_keys: Mapping[str, str]) -> None:
    """Note other keys of scenes in the selections of params.yaml."""

    def in_params(path: Path, value: str) -> str | None:
        is_scene = path[2:3] == ("scenes",) or path[2:4] == ("exclude", "scenes")
        return new_keys.get(value) if path[:1] == ("selections",) and is_scene else None

    _change(catalog, draft, "params.yaml", in_params)


def _lists_samples(path: Path) -> bool:
    """Return whether a place in params.yaml is in a list of samples of a selection."""
    is_list = path[2:3] == ("stems",) or path[2:4] == ("exclude", "stems")
    return path[:1] == ("selections",) and is_list


def renamed_files(old: str, new: str) -> list[tuple[str, str]]:
    """Return the old and the new path of the folder and the source files of a renamed subset."""
    return [
        (f"{DATA_ROOT}/{old}", f"{DATA_ROOT}/{new}"),
        *(
            (f"registry/{folder}/{old}.{suffix}", f"registry/{folder}/{new}.{suffix}")
            for folder, suffix in (
                ("subsets", "yaml"),
                ("tags", "csv"),
                ("scans", "parquet"),
                ("lineage", "csv"),
                ("deliveries", "csv"),
                ("crops", "csv"),
            )
        ),
    ]


def _change(
    catalog: Catalog, draft: Draft, name: str, change: Callable[[Path, str], str | None]
) -> None:
    path = catalog.root / name
    if not path.exists():
        return
    text = decoded(draft.read(path), name)
    if (changed := change_scalars(text, name, change)) != text:
        draft.write(path, changed.encode())


def _change_waivers(
    catalog: Catalog, draft: Draft, change: Callable[[Waiver, str], str | None]
) -> None:
    path = catalog.root / WAIVERS_FILE
    if not path.exists():
        return
    text = decoded(draft.read(path), WAIVERS_FILE)
    waivers = loads(text, Waivers, WAIVERS_FILE)[0].waivers

    def in_waivers(at: Path, _: str) -> str | None:
        if at[:1] != ("waivers",) or len(at) != 3 or not isinstance(at[1], int):
            return None
        return change(waivers[at[1]], str(at[2]))

    _change(catalog, draft, WAIVERS_FILE, in_waivers)
