"""Read XML files of anybody as a stream: no document types, so no entities; bounded depth."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from sceneset.errors import fail

_MAX_BYTES = 4 << 30
_MAX_DEPTH = 64
_CHUNK = 1 << 16


@dataclass(slots=True)
class Element:
    """An XML element with its children."""

    name: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: "list[Element]" = field(default_factory=list)

    def find(self, *path: str) -> "Element | None":
        """Return the first element on a path of names below this one."""
        found: Element | None = self
        for name in path:
            found = next((c for c in found.children if c.name == name), None) if found else None
        return found

    def words(self, *path: str) -> str:
        """Return the text of the first element on a path, or ""."""
        found = self.find(*path)
        return found.text.strip() if found else ""


class _RefusedError(Exception):
    """The file has something that is not read; the message says what."""


def elements_of(path: Path, file: str) -> Iterator[Element]:
    """Yield each child of the root of an XML file, once it is complete; it is not kept.

    Args:
        path: The file.
        file: Its name in findings.

    Raises:
        FindingsError: The file is no XML, is truncated or too large, or has a document type.
    """
    found: list[Element] = []
    reader = _Reader(found.append)
    try:
        with path.open("rb") as stream:
            if stream.seek(0, 2) > _MAX_BYTES:
                fail("annotation-broken", f"is larger than {_MAX_BYTES:,} bytes", file=file)
            stream.seek(0)
            while chunk := stream.read(_CHUNK):
                reader.parse(chunk, file)
                yield from found
                found.clear()
            reader.parse(b"", file)
    except OSError as error:
        fail("file-unreadable", f"can't be read: {error.strerror}", file=file)


def root_of(path: Path) -> tuple[str, list[str]]:
    """Return the name of an XML file's root and of its first children; "" if it is no XML."""
    names: list[str] = []
    reader = _Reader(lambda element: names.append(element.name))
    try:
        with path.open("rb") as stream:
            reader.parser.Parse(stream.read(_CHUNK), False)
    except (expat.ExpatError, _RefusedError, ValueError, LookupError, OSError):
        pass  # what follows does not matter
    return reader.root, [*names, *(element.name for element in reader.stack[1:2])]


class _Reader:
    """Builds the elements below the root."""

    def __init__(self, take: Callable[[Element], None]) -> None:
        self.take, self.root = take, ""
        self.stack: list[Element] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def parse(self, chunk: bytes, file: str) -> None:
        """Parse the next bytes of a file; none are its end.

        Raises:
            FindingsError: It is no XML; the finding names the file and the line.
        """
        try:
            self.parser.Parse(chunk, not chunk)
        except (expat.ExpatError, _RefusedError, ValueError, LookupError) as error:
            is_cut = "no element found" in str(error) or "unclosed" in str(error)
            cut = " (the file is truncated)" if is_cut else ""
            fail(
                "annotation-broken",
                f"is not XML: {error}{cut}" if not isinstance(error, _RefusedError) else str(error),
                file=file,
                row=self.parser.CurrentLineNumber,
                hint="export the file again",
            )

    def _refuse(self, *_: object) -> None:
        raise _RefusedError("has a document type (<!DOCTYPE>), which could define entities")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.root = self.root or name
        if len(self.stack) >= _MAX_DEPTH:
            raise _RefusedError("is nested too deeply")
        self.stack.append(Element(name, attributes, self.parser.CurrentLineNumber))

    def _end(self, _: str) -> None:
        element = self.stack.pop()
        if len(self.stack) == 1:
            self.take(element)
        elif self.stack:
            self.stack[-1].children.append(element)

    def _text(self, text: str) -> None:
        if len(self.stack) > 1:
            self.stack[-1].text += text
