"""Pictures of samples: thumbnails, outlines of masks, large pictures, and gray tiles with reasons.

Thumbnails and outlines are kept in the registry's store of pictures by the content of their files;
large pictures are drawn when they are requested.
"""

import html
import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any, NamedTuple

from sceneset.errors import BlobError, DvcError, FindingsError, UndecodableError, UsageError
from sceneset.imaging.overlay import draw_overlay
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.paths import PICTURE_STORE
from sceneset.reporting.contact_sheet import reason_of
from sceneset.server.state import Fetch, State
from sceneset.site.draw_pictures import PictureFiles, draw_pictures
from sceneset.storage.files import md5_of
from sceneset.storage.picture_store import Outline, OutlineKey, PictureStore, Thumb

KINDS = ("image", "mask", "overlay")
"""Large pictures: the image, its mask in colors, and both."""
_LARGE_SIDE = 1600
_LINE = 30  # characters of a line of a gray tile
_LINES = 6
_DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
    'height="{height}"><g fill-rule="evenodd">{paths}</g></svg>'
)
_PATH = '<path d="{path}" fill="{fill}" fill-opacity="{opacity}"{line}/>'
_EDGE = (
    '<path d="{path}" fill="none" stroke="#000" stroke-width="3.5" '
    'vector-effect="non-scaling-stroke"/>'
)
_COLOURS = (("other", "#ff00c8", 0.45), ("ignored", "#ff6e00", 0.45), ("person", "#00a0ff", 0.3))


class Picture(NamedTuple):
    """An answer with a picture."""

    data: bytes
    kind: str
    """Media type."""
    tag: str = ""
    """What differs if the picture differs; "" for a gray tile, which must not be kept."""


class Pictures:
    """Draws pictures of samples. Thread-safe; as many are drawn at once as there are cores."""

    def __init__(self, folder: Path, fetch: Fetch | None, translate: Callable[[str], str]) -> None:
        """Use the store of pictures of a registry.

        Args:
            folder: The registry's folder, or that of its project.
            fetch: Downloads files that are not on this machine, if it may.
            translate: Returns a message in Chinese.
        """
        self._fetch, self._translate = fetch, translate
        self._store: PictureStore | None = None
        with suppress(OSError, sqlite3.Error):  # without a store, pictures are drawn each time
            self._store = PictureStore.open(folder / PICTURE_STORE)
        self._lock = Lock()
        self._drawing = BoundedSemaphore(os.cpu_count() or 1)
        self._forgotten: set[str] = set()

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            if self._store:
                self._store.close()
                self._store = None

    def thumb(self, state: State, row: dict[str, Any], language: str) -> Picture:
        """Return a small picture of the image of a sample."""
        files = _files_of(row)
        if files is None:
            return self._tile("is in the tags and not in the scan", language)
        with self._lock:
            found = self._thumb_of(state, files)
        if found is None:
            reasons = self._draw(state, files)
            with self._lock:
                found = self._thumb_of(state, files) or reasons.thumb
            if found is None:
                return self._tile(reasons.image, language)
        return Picture(found.webp, "image/webp", files.image_md5)

    def outline(self, state: State, row: dict[str, Any], language: str) -> Picture:
        """Return the outline of the mask of a sample, transparent elsewhere."""
        files = _files_of(row)
        if files is None:
            return Picture(b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml")
        with self._lock:
            found = self._outline_of(files.outline)
        if found is None:
            reasons = self._draw(state, files)
            with self._lock:
                found = self._outline_of(files.outline) or reasons.outline
            if found is None:
                return self._tile(f"mask: {reasons.mask}", language, transparent=True)
        tag = f"{files.mask_md5}-{files.orientation}"
        return Picture(_drawing(found).encode(), "image/svg+xml", tag)

    def large(self, state: State, row: dict[str, Any], kind: str, language: str) -> Picture:
        """Return a large picture of a sample; ``kind`` is one of KINDS."""
        files = _files_of(row)
        if files is None:
            return self._tile("is in the tags and not in the scan", language)
        tag = f"{files.image_md5}-{files.mask_md5}-{kind}"
        try:
            image = self._read(state, files.image, files.image_md5)
            mask = None if kind == "image" else self._read(state, files.mask, files.mask_md5)
            if withdrawn := _withdrawal(state, image):
                return self._tile(withdrawn, language)
            with self._drawing, no_warnings():
                limits = state.catalog.params.limits
                overlay = draw_overlay(image, files.suffix, mask, _LARGE_SIDE, limits)
                if overlay.problem:
                    return self._tile(f"mask: {overlay.problem}", language)
                if kind == "mask":
                    return Picture(overlay.paints_png(), "image/png", tag)
                shown = overlay.composed() if kind == "overlay" else overlay.photo
                return Picture(overlay._replace(photo=shown).photo_jpeg(), "image/jpeg", tag)
        except (BlobError, FindingsError, UndecodableError) as error:
            return self._tile(reason_of(error), language)

    def _thumb_of(self, state: State, files: PictureFiles) -> Thumb | None:
        if not self._store:
            return None
        withdrawn = state.catalog.withdrawn.files.keys() - self._forgotten
        if withdrawn:
            self._store.forget(withdrawn)
            self._forgotten |= withdrawn
        return self._store.thumbs([files.image_md5]).get(files.image_md5)

    def _outline_of(self, key: OutlineKey) -> Outline | None:
        return self._store.outlines([key]).get(key) if self._store else None

    def _draw(self, state: State, files: PictureFiles) -> "_Drawn":
        """Draw the thumbnail and the outline of a sample, and store them."""

        def read(path: str, md5: str) -> bytes:
            data = self._read(state, path, md5)
            if path == files.image and (withdrawn := _withdrawal(state, data)):
                raise BlobError(withdrawn)
            return data

        drawn = _Drawn()
        with self._drawing:
            reasons = draw_pictures(
                _Sink(self._store, self._lock, drawn),
                [files],
                read,
                state.catalog.params.limits,
                total=1,
            )
        drawn.image = reasons.get(files.image_md5, "")
        drawn.mask = reasons.get(files.mask_md5, "")
        return drawn

    def _read(self, state: State, path: str, md5: str) -> bytes:
        try:
            return state.files.read(path, md5)
        except BlobError:
            if self._fetch is None:
                raise
        try:
            self._fetch(state.files, [(path, md5)])
        except (DvcError, UsageError) as error:
            raise BlobError(str(error)) from None
        return state.files.read(path, md5)

    def _tile(self, reason: str, language: str, *, transparent: bool = False) -> Picture:
        text = self._translate(reason) if language == "zh" else reason
        return Picture(_tile(text, transparent=transparent).encode(), "image/svg+xml")


class _Drawn:
    """What was drawn of a sample, or why it could not be drawn."""

    def __init__(self) -> None:
        self.thumb: Thumb | None = None
        self.outline: Outline | None = None
        self.image = self.mask = ""


class _Sink:
    """Takes drawn pictures in the place of a store, and passes them to it if there is one."""

    def __init__(self, store: PictureStore | None, lock: Lock, drawn: _Drawn) -> None:
        self._store, self._lock, self._drawn = store, lock, drawn

    def missing(
        self, images: Iterable[str], masks: Iterable[OutlineKey]
    ) -> tuple[set[str], set[OutlineKey]]:
        """Return those pictures that must be drawn."""
        if self._store:
            with self._lock:
                return self._store.missing(images, masks)
        return set(images), set(masks)

    def add(
        self,
        thumbs: Iterable[tuple[str, Thumb]],
        outlines: Iterable[tuple[OutlineKey, Outline]],
    ) -> None:
        """Take pictures."""
        thumbs, outlines = list(thumbs), list(outlines)
        self._drawn.thumb = next((thumb for _, thumb in thumbs), None)
        self._drawn.outline = next((outline for _, outline in outlines), None)
        if self._store:
            with self._lock, suppress(sqlite3.Error):  # another server writes, or the disk is full
                self._store.add(thumbs, outlines)


def _files_of(row: dict[str, Any]) -> PictureFiles | None:
    """Return the files of a sample; None if it is not scanned."""
    if not row["image_md5"]:
        return None
    return PictureFiles(
        f"{row['subset']}/{row['image']}",
        row["image_md5"],
        f"{row['subset']}/{row['mask']}",
        row["mask_md5"],
        row["orientation"] or 1,
    )


def _withdrawal(state: State, image: bytes) -> str:
    """Return that an image is withdrawn, or ""."""
    withdrawn = state.catalog.withdrawn
    return "is withdrawn" if withdrawn.files and md5_of(image) in withdrawn.files else ""


def _drawing(outline: Outline) -> str:
    paths = []
    for name, fill, opacity in _COLOURS:
        if path := getattr(outline, name):
            line = ""
            if name == "person":
                paths.append(_EDGE.format(path=path))
                line = ' stroke="#ffe100" stroke-width="1.75" vector-effect="non-scaling-stroke"'
            paths.append(_PATH.format(path=path, fill=fill, opacity=opacity, line=line))
    return _DRAWING.format(width=outline.width, height=outline.height, paths="".join(paths))


def _tile(text: str, *, transparent: bool) -> str:
    """Return a gray picture with a text; a transparent one has it in a box at the bottom."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < _LINE:
            lines[-1] += f" {word}"
        else:
            lines += (word[start : start + _LINE] for start in range(0, len(word), _LINE))
    lines = lines[:_LINES]
    size = 18 * len(lines) + 12
    top = 192 - size if transparent else (192 - size) // 2
    rows = "".join(
        f'<text x="8" y="{top + 18 * number + 18}">{html.escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    box = (0, top, size) if transparent else (0, 0, 192)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 192" width="256" height="192">'
        f'<rect x="{box[0]}" y="{box[1]}" width="256" height="{box[2]}" fill="#dfe3e8"/>'
        f'<g font-family="system-ui, sans-serif" font-size="14" fill="#141820">{rows}</g></svg>'
    )
