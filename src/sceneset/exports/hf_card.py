"""The dataset card of Hugging Face: README.md with a head in YAML.

What is known of the samples is worded as in data cards, by the same functions.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sceneset.counts import counted
from sceneset.exports.types import ExportSample, Selection, by_phase
from sceneset.reporting.data_card_blocks import Items, Section
from sceneset.reporting.data_card_coverage import Coverage
from sceneset.reporting.data_card_data import licences, masks_text
from sceneset.reporting.data_card_limits import Limited, limit_texts
from sceneset.reporting.data_card_measures import statistics_blocks
from sceneset.reporting.data_card_pages import sections_markdown
from sceneset.reporting.markdown import escape_cell
from sceneset.storage.yaml_files import dump_yaml

_SPLITS = {"train": "train", "val": "validation", "test": "test"}
"""The names that Hugging Face uses."""
_SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
_SIZE_NAMES = ("1K", "10K", "100K", "1M", "10M", "100M")
_KNOWN_LICENCES = frozenset(
    {
        "apache-2.0",
        "mit",
        "bsd-2-clause",
        "bsd-3-clause",
        "isc",
        "zlib",
        "unlicense",
        "mpl-2.0",
        "gpl-2.0",
        "gpl-3.0",
        "agpl-3.0",
        "lgpl-2.1",
        "lgpl-3.0",
        "artistic-2.0",
        "eupl-1.1",
        "eupl-1.2",
        "etalab-2.0",
        "c-uda",
        "cc0-1.0",
        "cc-by-2.0",
        "cc-by-2.5",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "cc-by-nc-2.0",
        "cc-by-nc-3.0",
        "cc-by-nc-4.0",
        "cc-by-nd-4.0",
        "cc-by-nc-nd-3.0",
        "cc-by-nc-nd-4.0",
        "cc-by-nc-sa-2.0",
        "cc-by-nc-sa-3.0",
        "cc-by-nc-sa-4.0",
        "cdla-sharing-1.0",
        "cdla-permissive-1.0",
        "cdla-permissive-2.0",
        "wtfpl",
        "pddl",
    }
)
"""SPDX identifiers that Hugging Face accepts, in lower case."""
_TEXT = """
# Person segmentation: {title}

{count}{version}.

| Split | Samples |
| --- | --- |
{splits}

- `image`: the image.
- `mask`: {masks}.
- `subset`, `phase`, `stem`: the sample's name in the registry.
- `scenes`, `persons` ("single", "multi" or "mixed"), `boxes`, `source`: tags; empty if unknown.
- `width`, `height`: size as stored. `person_pixels`, `ignore_pixels`: pixels of the mask with 1
  and 255.

{scenes}```python
from datasets import load_dataset

splits = load_dataset("FOLDER")
```

{licences}{statistics}{limits}"""
_SCENES = """| Scene | Name | Samples |
| --- | --- | --- |
{rows}

A sample can have several scenes.

"""


def card(selection: Selection, samples: Sequence[ExportSample], files: str) -> str:
    """Return the text of README.md.

    Args:
        selection: The selection.
        samples: Those that were written.
        files: Pattern of a phase's files, with "{phase}". The head names them, because the names
            of subsets, which Hugging Face would look at, may contain words such as "test".
    """
    groups = by_phase(samples)
    head = {
        "pretty_name": f"Person segmentation: {selection.title}",
        "task_categories": ["image-segmentation"],
        **_licence_head(selection),
        "tags": ["person-segmentation"],
        "size_categories": [_size_category(len(samples))],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": _SPLITS[phase], "path": files.format(phase=phase)} for phase in groups
                ],
            }
        ],
    }
    text = _TEXT.format(
        title=escape_cell(selection.title),
        count=counted(len(samples), "sample"),
        version=f" of version {selection.version}" if selection.version else "",
        splits="\n".join(f"| {_SPLITS[phase]} | {len(g):,} |" for phase, g in groups.items()),
        masks=masks_text("en"),
        licences=_licences(selection),
        scenes=_scenes(selection, samples),
        statistics=_statistics(selection),
        limits=_limits(selection, samples),
    )
    return f"---\n{dump_yaml(head)}---\n{text.rstrip()}\n"


def _licence_head(selection: Selection) -> dict[str, object]:
    """Return the fields of the head about the licence; without licences, there are none.

    Hugging Face knows some SPDX identifiers; any other licence is "other", with a name.
    """
    names = [name for name in selection.licences if name]
    if not names:
        return {}
    known = [name.lower() for name in names if name.lower() in _KNOWN_LICENCES]
    if len(known) == len(selection.licences):
        return {"license": known[0] if len(known) == 1 else known}
    slug = re.sub(r"[^a-z0-9.]+", "-", " ".join(names).lower()).strip("-")
    return {"license": "other", "license_name": slug[:100].rstrip("-") or "see-below"}


def _licences(selection: Selection) -> str:
    """Return the licences, if any sample has one, the consent, and whom to ask."""
    if not any(selection.licences):
        return ""
    totals = replace(
        selection.totals,
        licences=Counter(selection.licences),
        contacts=set(selection.contacts),
    )
    return f"{sections_markdown([licences(totals, 'en')])}\n"


def _statistics(selection: Selection) -> str:
    blocks = statistics_blocks(selection.numbers, "en")
    return f"{sections_markdown([Section('statistics', 'Statistics', blocks)])}\n"


def _limits(selection: Selection, samples: Sequence[ExportSample]) -> str:
    coverage = Coverage()
    for s in samples:
        coverage.add(s.phase, s.scenes, s.persons, has_source=bool(s.source))
    limited = Limited(
        coverage,
        selection.numbers,
        selection.scene_names,
        selection.crops,
        selection.unrecorded,
    )
    items = Items(limit_texts(limited, "en"))
    return sections_markdown([Section("limits", "Known limits", [items])])


def _scenes(selection: Selection, samples: Sequence[ExportSample]) -> str:
    counts = Counter(scene for sample in samples for scene in sample.scenes)
    rows = [
        f"| `{scene}` | {escape_cell(selection.scene_names[scene])} | {counts[scene]:,} |"
        for scene in selection.scenes
        if counts[scene]
    ]
    return _SCENES.format(rows="\n".join(rows)) if rows else ""


def _size_category(count: int) -> str:
    below = sum(count >= size for size in _SIZES)
    if below == 0:
        return f"n<{_SIZE_NAMES[0]}"
    if below == len(_SIZES):
        return f"n>{_SIZE_NAMES[-1]}"
    return f"{_SIZE_NAMES[below - 1]}<n<{_SIZE_NAMES[below]}"
