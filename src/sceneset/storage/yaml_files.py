"""YAML files checked against a schema, every finding with its line."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sceneset.errors import FindingsError, fail
from sceneset.schemas.finding import Finding, finding
from sceneset.storage.files import read_text

MAX_YAML = 16 << 20
_MAX_DEPTH = 20
_LONGEST_VALUE = 200
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.resolver.Resolver()

M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]


class Document(NamedTuple):
    """What a YAML file says, and the line each field stands on."""

    data: Any
    lines: dict[Place, int]

    def line(self, place: Place) -> int | None:
        """Return the line of ``place`` or of the nearest field around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)


def load(path: Path, model: type[M], shown: str, *, defaults: dict[str, Any] | None = None) -> M:
    """Return the file as a checked ``model``; ``defaults`` fill fields that the file leaves out.

    Raises:
        ProblemsFoundError: all that is wrong, each with line, field, and what to write.
    """
    return load_document(path, model, shown, defaults=defaults)[0]


def load_document(
    path: Path, model: type[M], shown: str, *, defaults: dict[str, Any] | None = None
) -> tuple[M, Document]:
    """Return the file as a checked ``model``, and where its fields stand; see ``load``."""
    return loads(read_text(path, shown, limit=MAX_YAML), model, shown, defaults=defaults)


def loads(
    text: str, model: type[M], shown: str, *, defaults: dict[str, Any] | None = None
) -> tuple[M, Document]:
    """Return a file's text as a checked ``model``, and where its fields stand; see ``load``."""
    document = parse(text, shown)
    data = document.data
    if not isinstance(data, dict):
        fail(
            "schema",
            "holds no fields",
            file=shown,
            row=1,
            hint="write one 'field: value' a line",
        )
    try:
        return model.model_validate((defaults or {}) | data), document
    except ValidationError as error:
        raise FindingsError(
            schema_finding(detail, model, shown, document.line(detail["loc"]))
            for detail in error.errors(include_url=False)
        ) from None


def parse(text: str, shown: str) -> Document:
    """Parse one YAML document of plain values: no anchors, no tags, no duplicate keys.

    Values are made from the parser's events, each looked at once: aliases would grow without bound,
    and depth overflow the stack.
    """
    reader = _Reader(yaml.parse(text, Loader=_LOADER), shown)

    try:
        data = reader.document()
    except yaml.YAMLError as error:
        raise _broken(error, text, shown) from None
    except _Unreadable as bad:
        fail(
            "yaml-broken",
            f"holds a value YAML can't read: {bad}",
            file=shown,
            row=bad.row,
            hint="quote it",
        )
    if reader.findings:
        raise FindingsError(reader.findings)
    return Document(data, reader.lines)


class _Reader:
    """Makes values from the parser's events."""

    def __init__(self, events: Iterator[yaml.Event], shown: str) -> None:
        self.events, self.shown = events, shown
        self.lines: dict[Place, int] = {}
        self.findings: list[Finding] = []

    def document(self) -> Any:
        """Return the value of the only document; None where there is none."""
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

    def value(self, event: yaml.Event, place: Place) -> Any:
        """Return the value that begins with an event."""
        _refuse_tricks(event, len(place), self.shown)
        self.lines.setdefault(place, _row(event))
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
                items.append(self.value(event, (*place, len(items))))
            return items
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, row = self.key(event, place), _row(event)
            if key in mapping:
                self.findings.append(
                    finding(
                        "yaml-broken",
                        f"{key!r} is written twice",
                        file=self.shown,
                        row=row,
                        hint="keep one of them",
                    )
                )
            self.lines[*place, key] = row
            mapping[key] = self.value(next(self.events), (*place, key))
        return mapping

    def key(self, event: yaml.Event, place: Place) -> str:
        """Return a key as it is written, or what stands in its place, as text."""
        if not isinstance(event, yaml.ScalarEvent):
            return str(self.value(event, (*place, "")))
        _refuse_tricks(event, 0, self.shown)
        return str(event.value)


def _broken(error: yaml.YAMLError, text: str, shown: str) -> FindingsError:
    mark = getattr(error, "problem_mark", None)
    row = mark.line + 1 if mark else None
    place = getattr(error, "position", None)  # of a character YAML refuses, in bytes
    if row is None and isinstance(place, int):
        row = text.encode()[:place].count(b"\n") + 1
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


class _Unreadable(Exception):  # noqa: N818 - it never leaves this file
    def __init__(self, text: str, row: int) -> None:
        super().__init__(text)
        self.row = row


def _scalar(event: yaml.ScalarEvent) -> Any:
    if not event.implicit[0]:
        return event.value
    try:
        return _plain(event.value)
    except (ArithmeticError, ValueError, yaml.YAMLError) as error:
        # 2024-13-45 looks like a date to YAML, and 1:2:3.4 like a number to base 60.
        what = getattr(error, "problem", None) or str(error)
        raise _Unreadable(what.splitlines()[0], _row(event)) from None


@lru_cache(maxsize=4096)  # few words are said again and again
def _plain(text: str) -> Any:
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return yaml.constructor.SafeConstructor().construct_object(yaml.ScalarNode(tag, text))


def _row(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _refuse_tricks(event: yaml.Event, depth: int, shown: str) -> None:
    deep = depth >= _MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent)
    if getattr(event, "anchor", None) or deep or getattr(event, "tag", None) not in {None, "!"}:
        fail(
            "yaml-alias",
            "anchors, aliases, tags and deep nesting are not read here",
            file=shown,
            row=_row(event),
            hint="write the value out",
        )


def schema_finding(
    detail: ErrorDetails, model: type[BaseModel], shown: str, row: int | None, subset: str = ""
) -> Finding:
    """Turn one of pydantic's findings into ours; the hint is the field's own description."""
    field = ""
    for part in detail["loc"]:
        field += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if field else str(part)
    message = detail["msg"].removeprefix("Value error, ")
    hint = _described(model, detail["loc"]) or "schemas/json says what the field takes"
    if detail["type"] == "extra_forbidden":
        message = "is not a field here"
    elif detail["type"] == "missing":
        message = "is missing"
    elif detail["type"] != "value_error" and isinstance(detail["input"], str | int | float):
        message += f", not {shortened(detail['input'])}"
    return finding("schema", message, subset=subset, file=shown, row=row, field=field, hint=hint)


def shortened(value: object) -> str:
    """Return ``value`` as code, cut to what a message can hold."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _described(model: type[BaseModel], loc: Place) -> str:
    """Find what the schema says of the field, or name the fields that exist."""
    fields: dict[str, Any] = dict(model.model_fields)
    description = ""
    for part in loc:
        if isinstance(part, int):
            continue
        if part not in fields:
            return f"known fields: {', '.join(fields)}" if fields else description
        info = fields[part]
        description = " ".join((info.description or "").split())
        inner = _inner_model(info.annotation)
        fields = dict(inner.model_fields) if inner else {}
    return description


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_inner_model(arg) for arg in getattr(annotation, "__args__", ()))
    return next((found for found in inner if found), None)
