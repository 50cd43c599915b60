"""Parse YAML text to plain values, with the line of every field.

Values are built from the parser's events in one pass. yaml.load() would expand aliases, whose size
can grow exponentially, and overflow the stack on deep nesting.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import yaml

from sceneset.errors import FindingsError, fail
from sceneset.schemas.finding import capped, finding
from sceneset.storage.conflict_markers import CONFLICT, CONFLICT_HINT, conflict_line

_MAX_DEPTH = 20
_MAX_SHOWN_KEY = 200  # characters
_MAX_VALUES = 150_000
"""Most values of a file: more take seconds to read, and no good file has nearly as many."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.resolver.Resolver()

FieldPath = tuple[str | int, ...]
"""Where a field is in a document: keys and list indices from the top."""


class Document(NamedTuple):
    """The content of a YAML file and the line of each field."""

    data: Any
    lines: dict[FieldPath, int]

    def line(self, path: FieldPath) -> int | None:
        """Return the line of a field, or of the nearest field around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def parse(text: str, shown: str) -> Document:
    """Parse one YAML document of plain values, without anchors, tags and duplicate keys.

    Raises:
        FindingsError: The text is not such a document.
    """
    reader = _Reader(yaml.parse(text, Loader=_LOADER), shown)
    try:
        data = reader.document()
    except yaml.YAMLError as error:
        raise syntax_error(error, text, shown) from None
    except _InvalidScalarError as error:
        fail(
            "yaml-broken",
            f"holds a value YAML can't read: {error}",
            file=shown,
            row=error.row,
            hint="quote it",
        )
    if reader.repeated:
        raise FindingsError(
            capped(
                reader.repeated,
                lambda repeated: finding(
                    "yaml-broken",
                    f"{repeated[0]!r} is written twice",
                    file=shown,
                    row=repeated[1],
                    hint="keep one of them",
                ),
            )
        )
    return Document(data, reader.lines)


class _Reader:
    """Builds values from the events of a YAML parser."""

    def __init__(self, events: Iterator[yaml.Event], shown: str) -> None:
        self.events, self.shown = events, shown
        self.lines: dict[FieldPath, int] = {}
        self.repeated: list[tuple[str, int]] = []
        """Keys that are written twice, each with its line."""
        self.count = 0

    def document(self) -> Any:
        """Return the value of the only document, or None if there is none."""
        data = None
        for event in self.events:
            if isinstance(event, yaml.NodeEvent):
                data = self.value(event, ())
            elif isinstance(event, yaml.DocumentStartEvent) and self.lines:
                raise yaml.MarkedYAMLError(
                    problem="but found another document",
                    problem_mark=event.start_mark,  # type: ignore[arg-type]
                )
        return data

    def value(self, event: yaml.Event, path: FieldPath) -> Any:
        """Return the value that starts with an event."""
        _refuse_unsafe(event, len(path), self.shown)
        self.count += 1
        if self.count > _MAX_VALUES:
            fail(
                "file-unreadable",
                f"holds more than {_MAX_VALUES:,} values",
                file=self.shown,
                row=_row(event),
                hint="is it the right file? Split it, or remove what does not belong there",
            )
        self.lines.setdefault(path, _row(event))
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
                items.append(self.value(event, (*path, len(items))))
            return items
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, row = self.key(event, path), _row(event)
            if key in mapping:
                self.repeated.append((key[:_MAX_SHOWN_KEY], row))
            self.lines[*path, key] = row
            mapping[key] = self.value(next(self.events), (*path, key))
        return mapping

    def key(self, event: yaml.Event, path: FieldPath) -> str:
        """Return a key as written; a list or mapping used as a key becomes text."""
        if not isinstance(event, yaml.ScalarEvent):
            return str(self.value(event, (*path, "")))
        _refuse_unsafe(event, 0, self.shown)
        return str(event.value)


def syntax_error(error: yaml.YAMLError, text: str, shown: str) -> FindingsError:
    """Return the error to raise for a YAML file that can't be parsed."""
    if row := conflict_line(text):
        return FindingsError(
            [finding("yaml-broken", CONFLICT, file=shown, row=row, hint=CONFLICT_HINT)]
        )
    mark = getattr(error, "problem_mark", None)
    row = mark.line + 1 if mark else None
    position = getattr(error, "position", None)  # of an invalid character, in bytes
    if row is None and isinstance(position, int):
        row = text.encode()[:position].count(b"\n") + 1
    return FindingsError(
        [
            finding(
                "yaml-broken",
                getattr(error, "problem", None) or str(error).splitlines()[0],
                file=shown,
                row=row,
                hint="quote texts that hold ': ', '#', '[' or '{'; indent with spaces",
            )
        ]
    )


class _InvalidScalarError(Exception):
    """A plain scalar looks like a type that it has no valid value of; ``parse`` handles it."""

    def __init__(self, text: str, row: int) -> None:
        super().__init__(text)
        self.row = row


def _scalar(event: yaml.ScalarEvent) -> Any:
    if not event.implicit[0]:
        return event.value
    try:
        return _plain_scalar(event.value)
    except (ArithmeticError, ValueError, yaml.YAMLError) as error:
        # YAML takes 2024-13-45 for a date and 1:2:3.4 for a number in base 60.
        reason = getattr(error, "problem", None) or str(error)
        raise _InvalidScalarError(reason.splitlines()[0], _row(event)) from None


@lru_cache(maxsize=4096)  # files repeat a few words many times
def _plain_scalar(text: str) -> Any:
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return yaml.constructor.SafeConstructor().construct_object(yaml.ScalarNode(tag, text))


def _row(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _refuse_unsafe(event: yaml.Event, depth: int, shown: str) -> None:
    """Raise FindingsError for anchors, aliases, tags and deep nesting."""
    deep = depth >= _MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent)
    if getattr(event, "anchor", None) or deep or getattr(event, "tag", None) not in {None, "!"}:
        fail(
            "yaml-alias",
            "anchors, aliases, tags and deep nesting are not read here",
            file=shown,
            row=_row(event),
            hint="write the value out",
        )
