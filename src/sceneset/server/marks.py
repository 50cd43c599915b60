"""Files that commands take, made of marked samples; the registry itself is never changed.

A selection is for params.yaml, waivers are for registry/waivers.yaml, a table is for `sceneset tag
--csv`, and a list of samples is for the option --stems-file of all commands that change samples.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sceneset.catalog.reader import Catalog
from sceneset.edits.table_edit import table_text
from sceneset.errors import UnknownNameError, UsageError
from sceneset.schemas.base import Word
from sceneset.schemas.selection import NamedSelection, SelectionName
from sceneset.schemas.terms import Phase
from sceneset.schemas.waiver import Waiver
from sceneset.server.models import MarkFile, MarkRequest
from sceneset.server.state import State
from sceneset.storage.files import write_text
from sceneset.storage.yaml_files import dump_yaml

Key = tuple[str, str, str]
"""Subset, phase and stem."""


def mark_file(state: State, kind: str, request: MarkRequest) -> MarkFile:
    """Return a file that is made of marked samples.

    Args:
        state: The registry.
        kind: A key of KINDS.
        request: The samples, and what the kind needs besides.

    Raises:
        UnknownNameError: A sample does not exist.
        UsageError: A name, a rule or a reason is missing or can't be used.
    """
    keys = [_checked(state, text) for text in dict.fromkeys(request.samples)]
    return KINDS[kind](state.catalog, keys, request)


def save(found: MarkFile, folder: Path) -> MarkFile:
    """Write a file to a folder, under a name that is not in use; return it with this name."""
    stem, dot, suffix = found.file.partition(".")
    names = (found.file if n == 0 else f"{stem}-{n}{dot}{suffix}" for n in count())
    name = next(name for name in names if not (folder / name).exists())
    write_text(folder / name, found.text)
    use = found.use.replace(found.file, name)
    return found.model_copy(update={"file": name, "use": use, "saved": True})


def _checked(state: State, text: str) -> Key:
    parts = text.split("/")
    if len(parts) != 3 or state.index.find(*parts) is None:
        raise UnknownNameError(f"there is no sample {text!r}")
    return parts[0], parts[1], parts[2]


def _selection(_catalog: Catalog, keys: Sequence[Key], request: MarkRequest) -> MarkFile:
    name = _valid(SelectionName, request.name, "the name of the selection")
    fields = {"stems": ["/".join(key) for key in keys]}
    NamedSelection.model_validate(fields)
    return _file(
        f"selection-{name}.yaml",
        dump_yaml({"selections": {name: fields}}),
        "copy it into `selections` of params.yaml, then: sceneset selections",
    )


def _waivers(_catalog: Catalog, keys: Sequence[Key], request: MarkRequest) -> MarkFile:
    reason = _valid(Word, request.reason, "the reason")
    today = dt.datetime.now(dt.UTC).date()
    waivers = [
        _valid(
            Waiver,
            {
                "code": request.rule,
                "subset": subset,
                "sample": f"{phase}/{stem}",
                "reason": reason,
                "date": today,
            },
            "the waiver",
        ).model_dump(mode="json", exclude_defaults=True)
        for subset, phase, stem in keys
    ]
    return _file(
        f"waivers-{request.rule}.yaml",
        dump_yaml({"waivers": waivers}),
        "copy its rows into registry/waivers.yaml, then: sceneset check",
    )


def _table(catalog: Catalog, keys: Sequence[Key], _request: MarkRequest) -> MarkFile:
    chosen: dict[str, set[tuple[Phase, str]]] = {}
    for subset, phase, stem in keys:
        chosen.setdefault(subset, set()).add((Phase(phase), stem))
    text = table_text(catalog.again(), chosen)
    return _file("relabel.csv", text, "edit its tags, then: sceneset tag --csv relabel.csv")


def _stems(_catalog: Catalog, keys: Sequence[Key], _request: MarkRequest) -> MarkFile:
    text = "".join(f"{'/'.join(key)}\n" for key in keys)
    return _file("samples.txt", text, "sceneset tag --stems-file samples.txt --add SCENE")


KINDS: dict[str, Callable[[Catalog, Sequence[Key], MarkRequest], MarkFile]] = {
    "selection": _selection,
    "waivers": _waivers,
    "table": _table,
    "stems": _stems,
}
"""What can be made of marked samples."""


def _file(name: str, text: str, use: str) -> MarkFile:
    return MarkFile(file=name, text=text, saved=False, use=use)


def _valid(kind: Any, value: object, what: str) -> Any:
    """Return a value as its schema has it.

    Raises:
        UsageError: It is not valid; the message says why.
    """
    try:
        return TypeAdapter[Any](kind).validate_python(value)
    except ValidationError as error:
        message = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"{what}: {message}") from None
