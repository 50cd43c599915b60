"""Print what `sceneset suggest --vectors` found: similar samples, coverage, scenes."""

import argparse
from typing import TYPE_CHECKING, Any

from sceneset.cli.commands.sources import open_catalog
from sceneset.cli.language import translate
from sceneset.counts import counted
from sceneset.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from sceneset.catalog.reader import Catalog
    from sceneset.exports.types import ExportSample, Key
    from sceneset.suggestions.vector_file import Vectors
    from sceneset.suggestions.vector_hints import VectorHints

    Numbers = npt.NDArray[np.int64]

_MODEL_OPTIONS = {"prepare": "", "output": "probability", "model_license": ""}


def print_vector_hints(args: argparse.Namespace) -> None:
    """Read the vectors; print and write the similar samples of --like, or all hints."""
    from sceneset.catalog.query import Query
    from sceneset.cli.output import progress
    from sceneset.cli.selected_samples import selected_samples
    from sceneset.cli.suggested_samples import check_files
    from sceneset.exports.selection import select_samples
    from sceneset.suggestions.vector_file import read_vectors
    from sceneset.versions.foreign import restrictions_of

    for name, default in _MODEL_OPTIONS.items():
        if getattr(args, name) != default:
            raise UsageError(f"--{name.replace('_', '-')} is about a model; leave it out")
    if args.sort != "disagreement":
        raise UsageError("--sort is about a model; leave it out")
    catalog = open_catalog(args)
    check_files(args, catalog)
    chosen_samples = selected_samples(args, catalog).samples
    samples = chosen_samples
    if args.scene or args.subset or args.phase or args.persons:
        left_out = restrictions_of(catalog, internal=args.internal)
        samples = select_samples(catalog, Query(), left_out).samples
    number_of = {one.key: number for number, one in enumerate(samples)}
    like = _find(args.like, catalog, number_of) if args.like else None
    vectors = read_vectors(args.vectors, [*number_of], progress=progress)
    chosen = [number_of[one.key] for one in chosen_samples]
    run = _Run(args, catalog, samples, vectors)
    if like is not None:
        run.print_similar(like, chosen)
    else:
        run.print_hints(chosen)


def _find(text: str, catalog: "Catalog", number_of: "dict[Key, int]") -> int:
    """Return the number of the sample that SUBSET/PHASE/STEM names.

    Raises:
        UnknownNameError: There is no such sample.
    """
    import difflib

    from sceneset.catalog.query import resolve_query

    parts = text.split("/")
    if len(parts) != 3:
        raise UsageError(f"--like {text}: write SUBSET/PHASE/STEM")
    [name] = resolve_query(catalog, subsets=parts[:1]).subsets
    number = number_of.get((name, parts[1], parts[2]))
    if number is None:
        keys = ["/".join(key[1:]) for key in number_of if key[0] == name]
        nearest = difflib.get_close_matches("/".join(parts[1:]), keys, n=3)
        hint = f" Nearest: {', '.join(nearest)}" if nearest else ""
        raise UnknownNameError(f"{name} has no sample {'/'.join(parts[1:])!r} to show.{hint}")
    return number


class _Run:
    """One run on the vectors of a registry."""

    def __init__(
        self,
        args: argparse.Namespace,
        catalog: "Catalog",
        samples: "Sequence[ExportSample]",
        vectors: "Vectors",
    ) -> None:
        self._args, self._catalog, self._samples = args, catalog, samples
        self._vectors = vectors

    def print_similar(self, like: int, chosen: list[int]) -> None:
        """Print the selected samples that are most similar to one."""
        import numpy as np

        from sceneset.cli.output import print_json, print_table
        from sceneset.suggestions.neighbours import nearest

        if self._vectors.row_of[like] < 0:
            raise UsageError(f"{self._args.vectors} has no usable vector of {self._args.like}")
        among = np.zeros(len(self._samples), np.bool_)
        among[chosen] = True
        query = np.array([like], np.int64)
        near = nearest(self._vectors, query, self._args.limit, among=among)
        found = [
            (self._samples[number], round(float(similarity), 4))
            for number, similarity in zip(near.samples[0], near.similarities[0], strict=True)
            if number >= 0
        ]
        if self._args.json:
            similar = [
                {"sample": "/".join(one.key), "similarity": value, "scenes": list(one.scenes)}
                for one, value in found
            ]
            print_json({"like": self._key(like), "similar": similar} | self._problems())
        else:
            print_table(
                ("sample", "similarity", "scenes", "persons"),
                [
                    ("/".join(one.key), f"{value:.4f}", ", ".join(one.scenes), one.persons)
                    for one, value in found
                ],
                right=("similarity",),
                optional=("persons",),
            )
        self._say_problems()
        texts = {one.key: [translate(f"similarity {value:.4f}")] for one, value in found}
        self._write([one.key for one, _ in found], texts, first=self._samples[like].key)

    def print_hints(self, chosen: list[int]) -> None:
        """Print what the vectors say of the selected samples."""
        import numpy as np

        from sceneset.cli.output import print_json, progress
        from sceneset.suggestions.vector_hints import vector_hints

        found = vector_hints(
            self._vectors, self._samples, np.array(chosen, np.int64), progress=progress
        )
        if self._args.json:
            print_json(self._as_json(found) | self._problems())
        else:
            self._print(found)
        self._say_problems()
        texts: dict[Key, list[str]] = {}
        for hint in found.suggested[: self._args.limit]:
            key = self._samples[hint.sample].key
            text = translate(
                f"{hint.votes} of {hint.voters} neighbours have the scene {hint.scene}"
            )
            texts.setdefault(key, []).append(text)
        relabel = [*texts]
        for hole in found.holes[: self._args.limit]:
            text = translate(f"far from training: similarity {hole.similarity:.4f}")
            texts.setdefault(self._samples[hole.sample].key, []).append(text)
        self._write(relabel, texts)

    def _key(self, number: int) -> str:
        return "/".join(self._samples[number].key)

    def _print(self, found: "VectorHints") -> None:
        from sceneset.cli.output import print_table, print_text, say

        limit = self._args.limit
        tables: list[tuple[tuple[str, ...], list[tuple[object, ...]]]] = [
            (
                ("scene", "held out", "far", "median similarity"),
                [(one.scene, one.held_out, one.far, f"{one.median:.4f}") for one in found.scenes],
            ),
            (
                ("far from training", "similarity", "nearest training sample"),
                [
                    (self._key(one.sample), f"{one.similarity:.4f}", self._key(one.nearest))
                    for one in found.holes[:limit]
                ],
            ),
            (
                ("sample", "scene of neighbours", "votes", "scenes"),
                [
                    (
                        self._key(one.sample),
                        one.scene,
                        f"{one.votes} of {one.voters}",
                        ", ".join(self._samples[one.sample].scenes),
                    )
                    for one in found.suggested[:limit]
                ],
            ),
        ]
        is_first = True
        for columns, rows in tables:
            if rows:
                if not is_first:
                    print_text("")
                print_table(columns, rows, right=("similarity", "median similarity"))
                is_first = False
        if found.holes:
            count = counted(len(found.holes), "held-out sample is", "held-out samples are")
            say(
                f"{count} farther from training than 95 % of training samples are from each other "
                f"(similarity below {found.limit:.4f})"
            )
        say(f"{counted(len(found.suggested), 'scene')} suggested by neighbours")
        say("these are hints and no findings: what is similar depends on what made the vectors")

    def _as_json(self, found: "VectorHints") -> dict[str, Any]:
        limit = self._args.limit
        return {
            "far_below": found.limit if found.limit == found.limit else None,
            "far_samples": len(found.holes),
            "far": [
                {
                    "sample": self._key(one.sample),
                    "similarity": round(one.similarity, 4),
                    "nearest": self._key(one.nearest),
                }
                for one in found.holes[:limit]
            ],
            "scenes": [one._asdict() for one in found.scenes],
            "suggested_scenes": len(found.suggested),
            "suggested": [
                one._asdict() | {"sample": self._key(one.sample)} for one in found.suggested[:limit]
            ],
        }

    def _problems(self) -> dict[str, Any]:
        problems = self._vectors.problems
        return {
            "vectors": len(self._vectors.samples),
            "problems": {
                kind: {"number": one.number, "first": list(one.examples)}
                for kind, one in problems.items()
            },
        }

    def _say_problems(self) -> None:
        from sceneset.cli.output import say
        from sceneset.cli.vector_problems import say_vector_problems

        rows, length = self._vectors.matrix.shape
        say(f"{counted(rows, 'vector')} of {counted(length, 'number')}")
        say_vector_problems(self._vectors.problems)

    def _write(
        self,
        keys: "Sequence[Key]",
        texts: "dict[Key, list[str]]",
        first: "Key | None" = None,
    ) -> None:
        from sceneset.cli.suggested_samples import write_list, write_pictures
        from sceneset.versions.local_files import LocalFiles

        if self._args.to:
            write_list(self._args.to, self._catalog, keys)
        if self._args.view:
            shown = [first, *texts] if first else [*texts]
            files = LocalFiles(self._catalog)
            note = translate(f"vectors: {self._args.vectors.name}")
            write_pictures(self._args, self._catalog, shown, texts, files, notes=[note])
