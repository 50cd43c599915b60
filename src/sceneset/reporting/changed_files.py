"""Read the files of changed samples, before and after the change, from this machine."""

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobError
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.reporting.sheet_samples import refusing_withdrawn
from sceneset.schemas.scene import Scene
from sceneset.versions.changed_samples import Sample
from sceneset.versions.diff import Change
from sceneset.versions.foreign import Ask, never
from sceneset.versions.local_files import LocalFiles


class _File(NamedTuple):
    """A file of a sample in one state."""

    files: LocalFiles
    path: str
    """Below the data root."""
    md5: str


class ChangedFiles:
    """The files of the samples of two states. Thread-safe."""

    def __init__(self, old: Catalog, new: Catalog) -> None:
        self._states = (old, new)
        self._files = (LocalFiles(old), LocalFiles(new))

    @cached_property
    def vocabulary(self) -> dict[str, Scene]:
        """The scenes of both states by key."""
        old, new = self._states
        return {**old.vocabulary.by_key, **new.vocabulary.by_key}

    def image(self, change: Change, *, is_new: bool) -> tuple[bytes, str]:
        """Return the bytes and the suffix of an image.

        Raises:
            BlobError: It is not on this machine, or is withdrawn.
        """
        first, *others = self._images(change, is_new=is_new)
        source = refusing_withdrawn(self._states[1], lambda: _read(first, *others))
        return source(), first.path[first.path.rindex(".") :]

    def mask(self, change: Change, *, is_new: bool) -> bytes:
        """Return the bytes of a mask.

        Raises:
            BlobError: It is not on this machine.
        """
        return _read(*self._masks(change, is_new=is_new))

    def fetch(
        self,
        changes: Iterable[Change],
        *,
        ask: Ask = never,
        notify: Notify = no_notice,
        progress: Progress = no_progress,
    ) -> int:
        """Download the files of changes that are not on this machine; return their number.

        Raises:
            DvcError: The remote can't be reached.
            UntrustedRemoteError: The remote needs trust.
        """
        wanted: dict[int, dict[str, str]] = {0: {}, 1: {}}
        for change in changes:
            for state, sample in enumerate((change.old, change.new)):
                # Of a change that is shown as one picture, only that one is needed.
                if sample is None or (state == 0 and not _shows_both(change)):
                    continue
                for file in (self._image(sample, state), self._mask(sample, state)):
                    wanted[state][file.md5] = file.path
        count = 0
        for state, files in wanted.items():
            listed = [(path, md5) for md5, path in files.items()]
            count += self._files[state].fetch(listed, ask=ask, notify=notify, progress=progress)
        return count

    def _images(self, change: Change, *, is_new: bool) -> list[_File]:
        return _same([(self._image(s, n), n) for s, n in _sides(change)], is_new=is_new)

    def _masks(self, change: Change, *, is_new: bool) -> list[_File]:
        return _same([(self._mask(s, n), n) for s, n in _sides(change)], is_new=is_new)

    def _image(self, sample: Sample, state: int) -> _File:
        subset, phase, stem = sample.place
        suffix = self._states[state].entry(subset).img_suffix
        path = f"{subset}/img_dir/{phase}/{stem}{suffix}"
        return _File(self._files[state], path, sample.image)

    def _mask(self, sample: Sample, state: int) -> _File:
        subset, phase, stem = sample.place
        return _File(self._files[state], f"{subset}/ann_dir/{phase}/{stem}.png", sample.mask)


def _shows_both(change: Change) -> bool:
    from sceneset.versions.diff import ChangeKind

    return change.new is None or change.kind in {ChangeKind.MASK, ChangeKind.IMAGE}


def _sides(change: Change) -> list[tuple[Sample, int]]:
    sides = ((change.old, 0), (change.new, 1))
    return [(sample, state) for sample, state in sides if sample]


def _same(files: list[tuple[_File, int]], *, is_new: bool) -> list[_File]:
    """Return the file of one side, and that of the other one if it has the same content."""
    [own] = [file for file, state in files if state == is_new]
    return [own, *(f for f, state in files if state != is_new and f.md5 == own.md5)]


def _read(first: _File, *others: _File) -> bytes:
    """Return a file from the first place that has it.

    Raises:
        BlobError: No place has it; the message is that of the first one.
    """
    try:
        return first.files.read(first.path, first.md5)
    except BlobError:
        for file in others:
            try:
                return file.files.read(file.path, file.md5)
            except BlobError:
                continue
        raise
