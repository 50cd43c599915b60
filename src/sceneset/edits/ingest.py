"""Taking a checked delivery into the registry, so that a kill at any line loses nothing.

The order makes it so. A journal is begun first; copies are built inside it; one rename puts the
subset's folder into the data root; then come `dvc add`, the scan, the tags and the entry, which
nothing reads yet; and at last params.yaml lists the subset: only then does it exist. Until then
the journal tells the next add what to take back.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import yaml

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import write_scan
from sceneset.catalog.tags_csv import tags_text
from sceneset.delivery.types import Delivery
from sceneset.edits.unfinished_add import Journal, take_back
from sceneset.errors import FindingsError, fail
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.schemas.finding import finding
from sceneset.schemas.subset import Subset
from sceneset.storage.dvc import add_folders
from sceneset.storage.dvc_digests import digests_of_rows, recorded_otherwise
from sceneset.storage.files import copy_file, write_text
from sceneset.storage.locking import writing
from sceneset.storage.transaction import unfinished_findings
from sceneset.storage.yaml_files import parse

Copies = Iterable[tuple[Path, Path]]


def take(
    catalog: Catalog,
    delivery: Delivery,
    *,
    progress: Progress = no_progress,
    notify: Notify = no_notice,
) -> None:
    """Make the delivery a subset of the registry, wholly or not at all.

    Raises:
        ProblemsFoundError: the name is taken, another add is at work, or the disk is too small.
        DvcError: dvc refused; what was done is taken back.
    """
    entry = delivery.entry
    if entry is None:
        raise ValueError("a delivery without an entry can't be taken")
    paths = catalog.paths
    with writing(paths.work) as lock:
        # What was read before the lock was held may be old: another add may have ended since.
        catalog = Catalog(catalog.root)
        for name in take_back(catalog):
            notify(f"an interrupted add of {name} was rolled back")
        if findings := unfinished_findings(paths):
            raise FindingsError(findings)  # its end would write over what is added here
        refuse_taken_name(catalog, entry.name)
        journal = Journal(paths, entry.name)
        copies = _copies(delivery, journal.subset)
        _check_space(catalog.root, [source for source, _ in copies])
        texts = {
            paths.tags(entry.name): tags_text(delivery.tags),
            paths.entry(entry.name): entry_text(entry),
        }
        listing = with_subset(paths.params.read_text("utf-8"), entry.name)
        try:
            journal.begin(texts)
            _build(progress(copies, len(copies), "copy"))
            folder = journal.place()
            add_folders(catalog.root, [folder / "img_dir", folder / "ann_dir"], lend=lock)
            _check_added(catalog, delivery, entry.name)
            write_scan(paths.scan(entry.name), delivery.rows, catalog.params.algorithms.scan)
            for path, text in texts.items():
                write_text(path, text)
            write_text(paths.params, listing)
        finally:
            take_back(Catalog(catalog.root))


def refuse_taken_name(catalog: Catalog, name: str) -> None:
    """Raise ProblemsFoundError if a subset of that name, or files of one, are there."""
    paths = catalog.paths
    listed = {known.casefold() for known in catalog.params.subsets}
    if name.casefold() in listed:
        fail(
            "subset-exists",
            "is listed already",
            subset=name,
            file="params.yaml",
            hint="give the delivery another date or note; a listed subset grows by "
            "putting files and tags in place",
        )
    in_the_way = [
        path
        for path in (paths.subset(name), paths.entry(name), paths.tags(name), paths.scan(name))
        if os.path.lexists(path)
    ]
    if in_the_way and not Journal(paths, name).placed:  # those of an add are taken back
        raise FindingsError(
            finding(
                "subset-exists",
                "stands here, though params.yaml does not list the subset",
                subset=name,
                file=paths.shown(path),
                hint="move it away; nothing of it is overwritten",
            )
            for path in in_the_way
        )


def entry_text(entry: Subset) -> str:
    """Return an entry as YAML, without what its schema fills in."""
    fields = entry.model_dump(mode="json", exclude_defaults=True)
    body = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=1000)
    return "# yaml-language-server: $schema=../../schemas/json/subset.json\n" + body


def _copies(delivery: Delivery, subset: Path) -> list[tuple[Path, Path]]:
    layout = delivery.layout
    return [
        (source, subset / folder / row.phase / source.name)
        for row in delivery.rows
        for folder, source in (
            ("img_dir", layout.images[row.key]),
            ("ann_dir", layout.masks[row.key]),
        )
    ]


def _check_space(root: Path, sources: list[Path]) -> None:
    """Refuse early what would fill the disk: one copy in the data root, one in DVC's cache."""
    needed = 2 * sum(source.stat().st_size for source in sources)
    free = shutil.disk_usage(root).free
    if needed > free:
        fail(
            "disk-full",
            f"{needed:,} bytes are needed and {free:,} are free",
            file=".",
            hint="make room: DVC keeps a copy in its cache beside the one people see",
        )


def _build(copies: Copies) -> None:
    made: set[Path] = set()
    for source, target in copies:
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        copy_file(source, target)


def _check_added(catalog: Catalog, delivery: Delivery, name: str) -> None:
    """Raise if DVC records other files than those that were checked."""
    wrong = recorded_otherwise(
        catalog.paths,
        name,
        digests_of_rows(delivery.rows),
        "records other files than were checked",
        "was {folder} of the delivery changed meanwhile? Does .dvcignore leave files out? Mend it "
        "and add again",
    )
    if wrong:
        raise FindingsError(wrong)


def with_subset(text: str, name: str) -> str:
    """Return the text of params.yaml with one more subset; its comments and order are kept.

    Raises:
        ProblemsFoundError: it is written in a way that can't be extended line by line.
    """
    before = parse(text, "params.yaml").data or {}
    wanted = before | {"subsets": sorted([*(before.get("subsets") or []), name])}
    try:
        extended = _with_line(text, name)
        after = parse(extended, "params.yaml").data
    except (FindingsError, ValueError):
        after = None
    if after is None or after | {"subsets": sorted(after["subsets"])} != wanted:
        fail(
            "schema",
            "is written in a way that no subset can be put into",
            file="params.yaml",
            field="subsets",
            hint="write one line '  - <name>' a subset",
        )
    return extended


def without_subset(text: str, name: str) -> str:
    """Return the text of params.yaml with a subset less; its comments and order are kept.

    Raises:
        ProblemsFoundError: it is written in a way that can't be changed line by line.
    """
    before = parse(text, "params.yaml").data
    names = [listed for listed in before["subsets"] if listed != name]
    lines = text.splitlines(keepends=True)
    left = [line for line in lines if line.strip() not in {f"- {name}", f"- '{name}'"}]
    cut = "".join(left)
    if not names:
        cut = cut.replace("\nsubsets:\n", "\nsubsets: []\n", 1)
    if parse(cut, "params.yaml").data != before | {"subsets": names}:
        fail(
            "schema",
            f"is written in a way that {name} can't be taken out of",
            file="params.yaml",
            field="subsets",
            hint="write one line '  - <name>' a subset",
        )
    return cut


def _with_line(text: str, name: str) -> str:
    root = yaml.compose(text)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    listed = next((value for key, value in pairs if key.value == "subsets"), None)
    if listed is None:
        return text.rstrip("\n") + f"\nsubsets:\n  - {name}\n"
    items = listed.value if isinstance(listed, yaml.SequenceNode) else []
    if not items or listed.flow_style:
        names = sorted([*(item.value for item in items), name])
        start, end = listed.start_mark.index, listed.end_mark.index
        return text[:start].rstrip() + "".join(f"\n  - {n}" for n in names) + text[end:]
    lines = f"{text.rstrip()}\n".splitlines(keepends=True)
    after = sum(item.value < name for item in items)
    near = items[max(after - 1, 0)].start_mark
    dash = lines[near.line].index("-")
    lines.insert(near.line + (1 if after else 0), f"{' ' * dash}- {name}\n")
    return "".join(lines)
