"""Find the originals of crops in the registry, by the sources that the crops declare.

An original and its crops belong together, and so do all of them with the clip of the original.
"""

from typing import TYPE_CHECKING

from sceneset.schemas.terms import fold_name

if TYPE_CHECKING:
    from sceneset.quality.sample_table import SampleTable

_SUFFIXES = (".jpg", ".png")


def originals_of_crops(table: "SampleTable") -> dict[str, int]:
    """Return the row of the original that each source of crops names.

    A crop is a sample with an origin. Its source names an image that is no crop by its stem, its
    file, SUBSET/STEM or SUBSET/PHASE/STEM. A source that fits several images names none.

    Args:
        table: All samples of the registry.

    Returns:
        The row by the source, as ``fold_name`` folds it.
    """
    crops = set(table.crops.tolist())
    names = {fold_name(source) for source in {table.source[row] for row in crops}} - {""}
    if not names:
        return {}
    stems = {_stem(name) for name in names}
    found: dict[str, int] = {}
    several: set[str] = set()
    folded: dict[str, str] = {}  # numbers of frames repeat in many subsets
    for row, stem in enumerate(table.stem):
        if (short := folded.get(stem)) is None:
            short = folded[stem] = _stem(fold_name(stem))
        if short not in stems or row in crops:
            continue
        subset, phase = table.subset[row], table.phase[row]
        texts = (stem, table.file[row], f"{subset}/{stem}", f"{subset}/{phase}/{stem}")
        for text in names.intersection(map(fold_name, texts)):
            if text in found:
                several.add(text)
            found[text] = row
    return {text: row for text, row in found.items() if text not in several}


def _stem(name: str) -> str:
    """Return the last part of a folded name without the suffix of an image, to compare quickly."""
    last = name.rpartition("/")[2]
    ending = next((suffix for suffix in _SUFFIXES if last.endswith(suffix)), "")
    return last.removesuffix(ending).strip()


def joint_sources(table: "SampleTable", originals: dict[str, int]) -> list[str]:
    """Return for each row what its source is together with originals and crops; "" without one.

    The crops of an image have the source of the image, and an image without a source has that of
    its crops.

    Args:
        table: All samples of the registry.
        originals: What ``originals_of_crops`` returns.
    """
    folded = {source: fold_name(source) for source in set(table.source)}
    joint: dict[str, str] = {}
    own: dict[int, str] = {}
    for source, row in originals.items():
        declared = folded[table.source[row]]
        joint[source] = declared or own.get(row, source)
        if not declared:
            own.setdefault(row, source)
    sources = [joint.get(name, name) for name in map(folded.__getitem__, table.source)]
    for row, source in own.items():
        sources[row] = source
    return sources
