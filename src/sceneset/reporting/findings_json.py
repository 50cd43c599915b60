"""Reports: findings as files, one a line, so that their diffs are small."""

import json
from pathlib import Path

from sceneset.registry.files import write_text
from sceneset.schemas.problem import Problem, errors


def write_report(folder: Path, everything: str, wrong: str, problems: list[Problem]) -> None:
    """Write all findings into one file, and the errors alone into another."""
    write_text(folder / everything, report_text(problems))
    write_text(folder / wrong, report_text(errors(problems)))


def report_text(problems: list[Problem]) -> str:
    """Return findings as JSON, one a line."""
    lines = [
        json.dumps(p.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
        for p in problems
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"
