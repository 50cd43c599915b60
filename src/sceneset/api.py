"""The Python interface: ``from sceneset import Registry``."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypedDict

from sceneset.catalog.reader import Catalog
from sceneset.counts import counted
from sceneset.errors import NothingFoundError, UnknownNameError
from sceneset.progress import Notify, Progress, no_notice, no_progress

if TYPE_CHECKING:
    from sceneset.catalog.lookup import FoundSample
    from sceneset.exports.types import Exported
    from sceneset.reporting.plan_values import Plan
    from sceneset.versions.diff import Diff
    from sceneset.versions.pull import Pulled


class _Options(TypedDict):
    persons: str | None
    phases: tuple[str, ...]
    subsets: tuple[str, ...]


class _Words(NamedTuple):
    """A query as a user writes it."""

    scenes: tuple[str, ...]
    persons: str | None
    phases: tuple[str, ...]
    subsets: tuple[str, ...]

    @property
    def options(self) -> _Options:
        """The arguments of ``resolve_query`` besides the scenes."""
        return {"persons": self.persons, "phases": self.phases, "subsets": self.subsets}


class Registry(Catalog):
    """A registry: the working tree, or a version of it, here or at a URL.

    Files are read on first use and kept in memory. Every method that reads raises FindingsError
    with all errors in the files it read.
    """

    @classmethod
    def open(
        cls,
        path: str | Path = ".",
        rev: str | None = None,
        *,
        progress: Progress = no_progress,
    ) -> Self:
        """Return the registry at a path (or above it), or at a git URL.

        Args:
            path: A folder inside the registry; or the URL of its git repository, or the path of a
                bare one, with ``//folder`` at its end if the registry is in a folder of it.
            rev: A version number, tag, branch or commit. The working tree is not changed.
            progress: Called by what goes over all subsets, versions or images.

        Raises:
            NoRegistryError: There is no registry at ``path`` or above it.
            UnknownRevisionError: There is no such revision; the message lists the nearest ones.
        """
        from sceneset.versions.revisions import open_state

        state = open_state(path, rev, progress=progress)
        return cls(state.root, project=state.project, origin=state.origin, progress=progress)

    def lookup(
        self,
        *scenes: str,
        persons: str | None = None,
        phases: Iterable[str] = (),
        subsets: Iterable[str] = (),
    ) -> "list[FoundSample]":
        """Return the samples of ``scenes``, each once, sorted by subset, phase and stem.

        Withdrawn samples of a version are left out.

        Args:
            scenes: Scenes in any of their names. Without scenes, all samples match.
            persons: "single" or "multi".
            phases: "train", "val", "test".
            subsets: Names of subsets, or unique parts of names.

        Raises:
            UnknownNameError: No scene or subset has this name; the message lists the nearest ones.
            ValueError: ``persons`` or ``phases`` holds another word.
        """
        from sceneset.catalog.lookup import find_samples
        from sceneset.catalog.query import resolve_query
        from sceneset.catalog.scanned_files import withdrawn_samples

        query = resolve_query(self, scenes, persons=persons, phases=phases, subsets=subsets)
        found = find_samples(self, query)
        withdrawn = withdrawn_samples(self, {sample.subset for sample in found})
        return [sample for sample in found if (sample.subset, *sample.tag.key) not in withdrawn]

    def pull(
        self,
        *scenes: str,
        to: str | Path,
        persons: str | None = None,
        phases: Iterable[str] = (),
        subsets: Iterable[str] = (),
        folders: Sequence[str] = ("img_dir", "ann_dir"),
        internal: bool = False,
        link: str = "copy",
        remote: str | None = None,
        progress: Progress = no_progress,
        ask: Callable[[str], bool] | None = None,
        notify: Notify = no_notice,
    ) -> "Pulled":
        """Copy the samples that ``lookup`` returns into the folder ``to``, and verify every file.

        Args:
            scenes: As for ``lookup``, like ``persons``, ``phases`` and ``subsets``.
            to: A new folder, or one that holds an earlier pull of the same samples.
            persons: As for ``lookup``.
            phases: As for ``lookup``.
            subsets: As for ``lookup``.
            folders: ("img_dir",) leaves the masks out, ("ann_dir",) the images.
            internal: Include samples for internal use, which a registry at a URL does not give
                otherwise.
            link: "copy", "hard", "sym" or "ref" (reflink, where the file system can).
            remote: The name of a DVC remote; without it, the default remote.
            progress: Called with the files, their number and a label.
            ask: Asks the user whether to trust the remote of a registry opened by URL. Without
                it, a remote that was not trusted with `sceneset trust` is refused.
            notify: Called with the options of such a registry's .dvc/config that are ignored.

        Returns:
            What was fetched. Files that could not be fetched are listed in ``bad``.

        Raises:
            UnknownNameError: No scene or subset has this name.
            NothingFoundError: No sample matches.
            DestinationError: The folder holds something else.
            DvcError: The remote can't be reached.
            UntrustedRemoteError: The remote needs trust; the message says how to give it.
        """
        from sceneset.catalog.query import resolve_query
        from sceneset.versions.foreign import blobs_of, never, restrictions_of
        from sceneset.versions.pull import pull

        words = _Words(scenes, persons, tuple(phases), tuple(subsets))
        with self._naming_versions(words):
            query = resolve_query(self, words.scenes, **words.options)
            blobs = blobs_of(self, remote, ask=ask or never, notify=notify)
            return pull(
                self,
                query,
                blobs,
                Path(to),
                folders=folders,
                left_out=restrictions_of(self, internal=internal),
                link=link,
                progress=progress,
            )

    def export(
        self,
        name: str,
        *scenes: str,
        to: str | Path,
        persons: str | None = None,
        phases: Iterable[str] = (),
        subsets: Iterable[str] = (),
        scene_as: str = "metadata",
        polygons: bool = False,
        merged: bool = False,
        shard_bytes: int | None = None,
        parquet: bool = False,
        internal: bool = False,
        link: str = "copy",
        remote: str | None = None,
        progress: Progress = no_progress,
        ask: Callable[[str], bool] | None = None,
        notify: Notify = no_notice,
    ) -> "Exported":
        """Write the samples that ``lookup`` returns into the folder ``to``, in a format.

        Args:
            name: The format, such as "coco"; see docs/formats.md.
            scenes: As for ``lookup``, like ``persons``, ``phases`` and ``subsets``.
            to: A new folder, or one that holds an earlier run of the same export.
            persons: As for ``lookup``.
            phases: As for ``lookup``.
            subsets: As for ``lookup``.
            scene_as: How scenes are written: "metadata", "class" or "folder".
            polygons: Write polygons where the format could hold exact masks.
            merged: Write one folder for all subsets.
            shard_bytes: Size at which packing formats start another file.
            parquet: Pack images and masks into Parquet files ("hf").
            internal: As for ``pull``. Samples with the restriction no-export are left out anyway.
            link: "copy", "hard" or "ref" (reflink, where the file system can).
            remote: As for ``pull``, like ``progress``, ``ask`` and ``notify``.
            progress: As for ``pull``.
            ask: As for ``pull``.
            notify: As for ``pull``.

        Returns:
            What was written. Samples with files that could not be read are left out, and these
            files are listed in ``bad``.

        Raises:
            UsageError: There is no such format, or it does not support an option.
            UnknownNameError: No scene or subset has this name.
            NothingFoundError: No sample matches.
            DestinationError: The folder holds something else.
            ExportError: The written files do not hold the selected samples.
            DvcError: The remote can't be reached.
            UntrustedRemoteError: The remote needs trust; the message says how to give it.
        """
        from sceneset.catalog.query import resolve_query
        from sceneset.exports.run import export
        from sceneset.exports.types import ExportOptions
        from sceneset.versions.foreign import blobs_of, never, restrictions_of

        options = ExportOptions(scene_as, polygons, merged, shard_bytes, parquet)
        words = _Words(scenes, persons, tuple(phases), tuple(subsets))
        with self._naming_versions(words):
            query = resolve_query(self, words.scenes, **words.options)
            blobs = blobs_of(self, remote, ask=ask or never, notify=notify)
            return export(
                self,
                query,
                blobs,
                name,
                Path(to),
                options=options,
                left_out=restrictions_of(self, internal=internal),
                link=link,
                progress=progress,
            )

    @contextmanager
    def _naming_versions(self, words: "_Words") -> Iterator[None]:
        """Add to the error for a selection without samples which versions have some."""
        from sceneset.versions.elsewhere import versions_with

        try:
            yield
        except (UnknownNameError, NothingFoundError) as error:
            found = versions_with(self, words.scenes, **words.options)
            if not found:
                raise
            have = counted(len(found), "version has", "versions have")
            raise type(error)(
                f"{error}. {have} such samples: {', '.join(found)}; to read one, use --rev "
                f"{found[0]} (in Python: rev={found[0]!r})"
            ) from None

    def plan(
        self,
        *scenes: str,
        persons: str | None = None,
        phases: Iterable[str] = (),
        subsets: Iterable[str] = (),
        targets: Mapping[str, Any] | None = None,
        evaluation: str | Path | None = None,
        duplicates: str = "auto",
        day: dt.date | None = None,
        internal: bool = False,
    ) -> "Plan":
        """Return what to collect next: scenes short of images, the most urgent first.

        Withdrawn samples, and those with the restrictions no-release and no-export, do not count.

        Args:
            scenes: As for ``lookup``, like ``persons``, ``phases`` and ``subsets``.
            persons: As for ``lookup``.
            phases: As for ``lookup``.
            subsets: As for ``lookup``.
            targets: What to use instead of ``targets`` of params.yaml, in the same form, for
                example {"train": 1000}.
            evaluation: The counts that `sceneset evaluate --to` wrote.
            duplicates: "near" counts images that look alike as one, "exact" images with the same
                pixels; "auto" is "near" for up to a million images.
            day: Consent that ended before, or ends within 90 days after this day, is a reason; by
                default today.
            internal: As for ``pull``.

        Raises:
            UnknownNameError: No scene or subset has this name.
            UsageError: ``evaluation`` can't be read.
            ValueError: ``targets``, ``duplicates``, ``persons`` or ``phases`` are not valid.
        """
        from sceneset.catalog.query import resolve_query
        from sceneset.evaluation.counts import read_counts
        from sceneset.evaluation.plan_results import plan_results
        from sceneset.reporting.plan import NOT_COUNTED, make_plan
        from sceneset.reporting.plan_reader import read_plan_samples
        from sceneset.reporting.plan_values import Duplicates
        from sceneset.schemas.targets import Targets
        from sceneset.versions.foreign import restrictions_of

        wanted = self.params.targets if targets is None else Targets.model_validate(targets)
        query = resolve_query(self, scenes, persons=persons, phases=phases, subsets=subsets)
        counts = read_counts(Path(evaluation)) if evaluation is not None else None
        day = day or dt.datetime.now().astimezone().date()
        left_out = NOT_COUNTED | restrictions_of(self, internal=internal)
        samples = read_plan_samples(self, query, left_out=left_out, day=day)
        return make_plan(
            self,
            query,
            samples,
            targets=wanted,
            day=day,
            duplicates=Duplicates(duplicates),
            results=plan_results(samples, counts) if counts else None,
        )

    def diff(self, new: "Catalog | str") -> "Diff":
        """Return what changed from this state to ``new``: another state, or a revision of this.

        Raises:
            UnknownRevisionError: There is no such revision; the message lists the nearest ones.
        """
        from sceneset.versions.diff import compare
        from sceneset.versions.revisions import open_in_same_repository

        return compare(self, open_in_same_repository(self, new) if isinstance(new, str) else new)
