"""Read YAML files into pydantic models, with a line number in every finding, and write YAML."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sceneset.errors import FindingsError, fail
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.storage.compact_yaml import compact_yaml
from sceneset.storage.files import read_text
from sceneset.storage.yaml_bounds import MAX_YAML
from sceneset.storage.yaml_parser import Document, FieldPath, parse

_MAX_SHOWN_VALUE = 200  # characters
_FAST_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

M = TypeVar("M", bound=BaseModel)


def load(path: Path, model: type[M], shown: str, *, defaults: dict[str, Any] | None = None) -> M:
    """Return the content of a YAML file as a validated model.

    Args:
        path: The file.
        model: The model's class.
        shown: How findings name the file.
        defaults: Values of fields that the file leaves out.

    Raises:
        FindingsError: The file is not valid; every finding has the line, the field and a hint.
    """
    return load_document(path, model, shown, defaults=defaults)[0]


def load_document(
    path: Path, model: type[M], shown: str, *, defaults: dict[str, Any] | None = None
) -> tuple[M, Document]:
    """Return the content of a YAML file as a validated model and as a document; see ``load``."""
    return loads(read_text(path, shown, limit=MAX_YAML), model, shown, defaults=defaults)


def loads(
    text: str, model: type[M], shown: str, *, defaults: dict[str, Any] | None = None
) -> tuple[M, Document]:
    """Return YAML text as a validated model and as a document; see ``load``."""
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
            capped(
                error.errors(include_url=False),
                lambda detail: schema_finding(detail, model, shown, document.line(detail["loc"])),
            )
        ) from None


def dump_yaml(fields: Mapping[str, Any], *, schema: str = "", compact: bool = False) -> str:
    """Return fields as YAML text in their order; equal fields give equal bytes.

    Args:
        fields: Plain values, for example of ``model_dump(mode="json")``.
        schema: Path of the JSON Schema relative to the file. It is written into the first line,
            where editors look for it.
        compact: Write lists and mappings of plain values on one line. It is fast, for large files.
    """
    if compact:
        body = compact_yaml(dict(fields)) or yaml.dump(
            dict(fields),
            Dumper=_FAST_DUMPER,
            sort_keys=False,
            allow_unicode=True,
            width=1000,
            default_flow_style=None,
        )
    else:
        body = yaml.safe_dump(dict(fields), sort_keys=False, allow_unicode=True, width=1000)
    return f"# yaml-language-server: $schema={schema}\n{body}" if schema else str(body)


def schema_finding(
    detail: ErrorDetails, model: type[BaseModel], shown: str, row: int | None, subset: str = ""
) -> Finding:
    """Return a finding for a validation error of pydantic; its hint is the field's description."""
    field = ""
    for part in _short_parts(detail["loc"]):
        field += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if field else str(part)
    message = detail["msg"].removeprefix("Value error, ").replace("valid tuple", "list")
    hint = _description(model, detail["loc"]) or "schemas/json lists the values the field takes"
    if detail["type"] == "extra_forbidden":
        message = "is not a field here"
    elif detail["type"] == "missing":
        message = "is missing"
    elif detail["type"] != "value_error" and isinstance(detail["input"], str | int | float):
        message += f", not {shortened(detail['input'])}"
    if len(message) > 2 * _MAX_SHOWN_VALUE:  # validators repeat the value
        message = f"{message[:_MAX_SHOWN_VALUE]}...{message[-_MAX_SHOWN_VALUE:]}"
    return finding("schema", message, subset=subset, file=shown, row=row, field=field, hint=hint)


def _short_parts(path: FieldPath) -> Iterator[str | int]:
    for part in path:
        is_long = isinstance(part, str) and len(part) > _MAX_SHOWN_VALUE
        yield f"{str(part)[:_MAX_SHOWN_VALUE]}..." if is_long else part


def shortened(value: object) -> str:
    """Return the repr of ``value``, cut to a length that fits into a message."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN_VALUE else f"{text[:_MAX_SHOWN_VALUE]}..."


def _description(model: type[BaseModel], path: FieldPath) -> str:
    """Return the description of a field, or the names of the fields that exist in its place."""
    fields: dict[str, Any] = dict(model.model_fields)
    description = ""
    for part in path:
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
