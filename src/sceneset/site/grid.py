"""What the grid of a page shows: which subsets, and which of their samples."""

from collections.abc import Mapping, Sequence
from typing import Any

from sceneset.site.model import SiteModel, SubsetModel


def grid_of(
    model: SiteModel,
    language: str,
    subsets: Sequence[SubsetModel],
    *,
    scene: str = "",
    selection: str = "",
    members: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, Any]:
    """Return the settings of a grid, which the pages' script reads.

    Args:
        model: The registry.
        language: "en" or "zh".
        subsets: The subsets whose data is read.
        scene: Only samples of this scene.
        selection: The name of a selection, for commands.
        members: Only these samples, by subset: pairs of start and length of runs of samples.
    """
    known = model.catalog.vocabulary.scenes
    names = {entry.key: entry.name.text(language) for entry in known if entry.key in model.scenes}
    words = {
        entry.key: " ".join(entry.all_names).lower() for entry in known if entry.key in model.scenes
    }
    return {
        "subsets": [
            {
                "name": subset.name,
                "count": (subset.facts.scenes[scene] if scene else subset.facts.whole).images,
            }
            for subset in subsets
        ],
        "scene": scene,
        "selection": selection,
        "members": members,
        "names": names,
        "words": words,
        "rev": model.state,
        "repo": model.repo,
        "large": model.has_large,
        "history": bool(model.histories),
    }
