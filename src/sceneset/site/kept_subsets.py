"""What pages show of subsets, kept beside their data files, so that unchanged ones are not read.

``data/kept/SUBSET.json`` has the facts of a subset, the names of its files, and a digest of
everything that they are made from. It is written if all pictures of the subset could be drawn, and
used if the digest is still the same and the files are there.
"""

import base64
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import version as installed_version
from typing import Any

import numpy as np

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.stats import SubsetStats
from sceneset.schemas.terms import Persons, Phase
from sceneset.site.facts import Facts, SubsetFacts
from sceneset.site.folder import SiteFolder
from sceneset.site.model import SubsetModel
from sceneset.site.sample_keys import SampleKeys
from sceneset.site.subset_data import TextOf
from sceneset.storage.files import md5_of, read_bytes

FORMAT = 1
"""Version of the records, and of what pages and data files show of a subset."""

_NUMBERS = ("images", "boxes", "shares", "brightness", "person", "pixels", "empty", "drawn")


class KeptSubsets:
    """The records of one catalogue."""

    def __init__(
        self,
        catalog: Catalog,
        folder: SiteFolder,
        left_out: Collection[Restriction],
        *,
        has_large: bool,
    ) -> None:
        """Read what all subsets depend on.

        Args:
            catalog: The registry.
            folder: The catalogue.
            left_out: Samples with one of these restrictions are not shown.
            has_large: Whether there is a large picture of each sample.

        Raises:
            FindingsError: params.yaml, the vocabulary or the withdrawals can't be read.
            GitError: The withdrawals of other branches can't be read.
        """
        self._catalog, self._folder = catalog, folder
        settings = catalog.params.model_dump_json(exclude={"subsets", "renamed", "selections"})
        withdrawn = catalog.withdrawn
        self._common = [
            *(FORMAT, installed_version("sceneset"), sorted(left_out), has_large),
            *(settings, catalog.vocabulary.model_dump_json()),
            *(sorted(withdrawn.files), sorted(withdrawn.pictures)),
        ]

    def state(self, name: str, findings: TextOf) -> str:
        """Return a digest of everything that the files and facts of a subset are made from.

        Args:
            name: The subset.
            findings: What is found about its samples.

        Returns:
            The digest, or "" if a file can't be read.
        """
        paths = self._catalog.paths
        try:
            files = [
                md5_of(read_bytes(path, paths.relative(path), limit=1 << 62))
                for path in (paths.entry(name), paths.tags(name), paths.scan(name))
            ]
        except FindingsError:
            return ""
        texts = [
            [*key, [[one.code, one.severity, one.message, chinese] for one, chinese in found]]
            for key, found in findings.items()
        ]
        return md5_of(json.dumps([self._common, files, texts]).encode())

    def read(self, name: str, state: str) -> SubsetModel | None:
        """Return what pages show of a subset, and keep its files; None if it must be read.

        Args:
            name: The subset.
            state: Its present state.
        """
        folder, record, data = self._folder, _record_of(name), data_file_of(name)
        try:
            values = json.loads((folder.folder / record).read_text("utf-8"))
            if not state or values["state"] != state:
                return None
            if md5_of((folder.folder / data).read_bytes()) != values["data"]:
                return None
            model = self._model(name, values)
            files = [record, data, *map(str, values["files"])]
        except (OSError, ValueError, LookupError, TypeError):
            return None
        if not all(map(folder.has, files)):
            return None
        for file in files:
            folder.keep(file)
        return model

    def write(self, model: SubsetModel, state: str, data: str, files: Iterable[str]) -> None:
        """Write the record of a subset whose files are complete.

        Args:
            model: What pages show of it.
            state: Its present state.
            data: The text of its data file.
            files: Its other files.
        """
        values = {
            "state": state,
            "data": md5_of(data.encode()),
            "files": list(files),
            "numbers": [model.withdrawn, model.restricted, model.unscanned],
            "keys": [base64.b64encode(model.keys.packed).decode(), model.keys.number],
            "stats": model.stats and model.stats.model_dump_json(),
            "whole": _facts_values(model.facts.whole),
            "scenes": {key: _facts_values(facts) for key, facts in model.facts.scenes.items()},
        }
        self._folder.write(_record_of(model.name), json.dumps(values) + "\n")

    def _model(self, name: str, values: Mapping[str, Any]) -> SubsetModel:
        """Return the model of a record.

        Raises:
            ValueError, LookupError, TypeError: The record is damaged.
        """
        withdrawn, restricted, unscanned = values["numbers"]
        packed, number = values["keys"]
        scenes = {key: _facts_of(facts) for key, facts in values["scenes"].items()}
        return SubsetModel(
            self._catalog.entry(name),
            SubsetFacts(_facts_of(values["whole"]), scenes),
            values["stats"] and SubsetStats.model_validate_json(values["stats"]),
            withdrawn,
            restricted,
            unscanned,
            keys=SampleKeys(base64.b64decode(packed), number),
        )


def data_file_of(name: str) -> str:
    """Return the path of the data file of a subset below the catalogue's folder."""
    return f"data/{name}.js"


def _record_of(name: str) -> str:
    return f"data/kept/{name}.json"


def _facts_values(facts: Facts) -> dict[str, Any]:
    """Return facts as JSON values; counts are lists, in which their order is kept."""
    return {
        **{name: getattr(facts, name) for name in _NUMBERS},
        "counts": [[*key, count] for key, count in facts.counts.items()],
        "phases": [*facts.phases.items()],
        "sizes": [[*size, count] for size, count in facts.sizes.items()],
        "colour": facts.colour,
        "grid": None if facts.grid is None else facts.grid.tolist(),
    }


def _facts_of(values: Mapping[str, Any]) -> Facts:
    red, green, blue = values["colour"]
    return Facts(
        **{name: values[name] for name in _NUMBERS},
        counts=Counter(
            {
                (persons and Persons(persons), Phase(phase)): n
                for persons, phase, n in values["counts"]
            }
        ),
        phases=Counter({Phase(phase): count for phase, count in values["phases"]}),
        sizes=Counter({(width, height): count for width, height, count in values["sizes"]}),
        colour=(red, green, blue),
        grid=None if values["grid"] is None else np.array(values["grid"], np.int64),
    )
