"""Read the file of `sceneset add --entry`: description and rows of the new subset."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sceneset.catalog.reader import unknown_scene_finding
from sceneset.delivery.types import Request
from sceneset.errors import FindingsError
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.subset import SplitRow, SubsetDraft
from sceneset.schemas.terms import Kind
from sceneset.storage.yaml_files import load_document
from sceneset.storage.yaml_parser import Document


@dataclass
class EntryFile:
    """The content of the file, and where to find its rows."""

    path: Path | None = None
    """None if the command names no file."""
    draft: SubsetDraft | None = None
    """None if there is no file, or it can't be read."""
    document: Document | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def rows(self) -> tuple[SplitRow, ...]:
        """The rows of its scene table."""
        return self.draft.splits if self.draft else ()

    @property
    def is_unreadable(self) -> bool:
        """Whether there is a file that can't be read."""
        return self.path is not None and self.draft is None

    def locate(self, _: int, row: SplitRow, field: str) -> dict[str, Any]:
        """Return where to fix a row: in this file, or else in its split file.

        The result is for ``finding``; the signature is ``quality.tag_rules.Locate``.
        """
        if self.path and row in self.rows:
            return {"file": self.path.name} | self.locate_row(self.rows.index(row), field)
        return {"file": f"split_dir/{row.file}"}

    def locate_row(self, number: int, field: str) -> dict[str, Any]:
        """Return field and line of a row (from 0) in this file; ``field`` is "" or ".<name>"."""
        place = ("splits", number, field.removeprefix("."))
        line = self.document.line(place) if self.document else None
        return {"field": f"splits[{number + 1}]{field}", "row": line}


def read_entry_file(request: Request, vocabulary: Vocabulary) -> EntryFile:
    """Read and check the entry; name and kind may be left to the command."""
    path, kind = request.entry_file, request.kind
    if path is None:
        return EntryFile()
    defaults = {"name": request.name, "kind": kind or Kind.FULL}
    try:
        draft, document = load_document(path, SubsetDraft, path.name, defaults=defaults)
    except FindingsError as error:
        return EntryFile(path, findings=error.findings)
    entry = EntryFile(path, draft, document)
    for name, value, option in (
        ("name", draft.name, request.name),
        ("kind", draft.kind, kind or draft.kind),
    ):
        if value != option:
            entry.findings.append(
                finding(
                    "schema",
                    f"is {value}, but the command says {option}",
                    file=path.name,
                    row=document.line((name,)),
                    field=name,
                    hint=f"use the same {name} in both",
                )
            )
    entry.findings += capped(
        (number for number, row in enumerate(draft.splits) if row.scene not in vocabulary.order),
        lambda number: unknown_scene_finding(
            vocabulary, draft.splits[number].scene, file=path.name
        ).model_copy(update=entry.locate_row(number, ".scene")),
    )
    return entry
