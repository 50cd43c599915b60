"""The dataset card of Hugging Face: README.md with a head in YAML."""

from collections import Counter
from collections.abc import Sequence

from sceneset.counts import counted
from sceneset.exports.types import ExportSample, Selection, by_phase
from sceneset.reporting.markdown import escape_cell
from sceneset.storage.yaml_files import dump_yaml

_SPLITS = {"train": "train", "val": "validation", "test": "test"}
"""The names that Hugging Face uses."""
_SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
_SIZE_NAMES = ("1K", "10K", "100K", "1M", "10M", "100M")
_TEXT = """
# Person segmentation: {title}

{count}{version}.

| Split | Samples |
| --- | --- |
{splits}

- `image`: the image.
- `mask`: 8-bit values: 0 is background, 1 is person, 255 is to be ignored.
- `subset`, `phase`, `stem`: the sample's name in the registry.
- `scenes`, `persons` ("single", "multi" or "mixed"), `boxes`, `source`: tags; empty if unknown.
- `width`, `height`: size as stored. `person_pixels`, `ignore_pixels`: pixels of the mask with 1
  and 255.

{scenes}```python
from datasets import load_dataset

splits = load_dataset("FOLDER")
```
"""
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
        scenes=_scenes(selection, samples),
    )
    return f"---\n{dump_yaml(head)}---\n{text}"


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
