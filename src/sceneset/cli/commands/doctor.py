"""Find what keeps commands from working, and repair it.

`doctor` looks for what a killed command, a merge, a person or DVC can leave: DVC's list of locks,
an unfinished change, conflict markers, a damaged index, files that git ignores, a remote that does
not answer, generated files that were edited, and temporary files. Without --fix nothing is
changed: it says what it would do.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.exit_codes import FINDINGS, FINE

if TYPE_CHECKING:
    from sceneset.edits.doctor import Trouble

EXAMPLES = """
  sceneset doctor                  say what is wrong, and what --fix would do
  sceneset doctor --fix            repair what can be repaired safely
  sceneset doctor --no-remote      do not connect to the remote
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--fix", action="store_true", help="repair what can be repaired")
    parser.add_argument("--no-remote", action="store_true", help="do not connect to the remote")
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")


def run(args: argparse.Namespace) -> int:
    """Examine the registry, repair it with --fix, and print what was found."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import print_json, progress, say
    from sceneset.edits.doctor import examine

    root = Catalog.find().root
    results = []
    # Repaired while they are found: what comes later may depend on it.
    for trouble in examine(root, remote=not args.no_remote, progress=progress):
        failure = _repair(trouble) if args.fix and trouble.repair else None
        is_fixed = bool(args.fix and trouble.repair and failure is None)
        results.append(
            {
                "check": trouble.check,
                "file": trouble.file,
                "message": trouble.message,
                "repair": trouble.advice,
                "can_fix": trouble.repair is not None,
                "fixed": is_fixed,
                "error": failure or "",
            }
        )
        if not args.json:
            _print(trouble, is_fixed=is_fixed, failure=failure)
    left = [result for result in results if not result["fixed"]]
    if args.json:
        print_json(results)
    elif not results:
        say("nothing is wrong", style="green")
    elif any(result["can_fix"] for result in left) and not args.fix:
        say("`sceneset doctor --fix` does what is marked with [fix]", style="bold")
    return FINDINGS if left else FINE


def _repair(trouble: "Trouble") -> str | None:
    """Repair a trouble; return why it failed, or None."""
    from sceneset.errors import FindingsError, SceneSetError

    try:
        if trouble.repair:
            trouble.repair()
    except FindingsError as error:
        return "; ".join(map(str, error.findings))
    except (SceneSetError, OSError) as error:
        return str(error)
    return None


def _print(trouble: "Trouble", *, is_fixed: bool, failure: str | None) -> None:
    import sys

    from sceneset.cli.findings import hanging
    from sceneset.cli.language import translate
    from sceneset.cli.output import print_lines
    from sceneset.cli.text_width import terminal_width

    columns = terminal_width() if sys.stdout.isatty() else None
    place = f"{trouble.file}: " if trouble.file else ""
    mark = translate("[fixed] ") if is_fixed else "[fix] " if trouble.repair else ""
    texts = [
        ("", f"{trouble.check}: {place}{translate(trouble.message)}", ""),
        ("    ", f"-> {mark}{translate(trouble.advice)}", ""),
    ]
    if failure:
        texts.append(("    ", translate(f"this failed: {translate(failure)}"), "red"))
    print_lines(
        [(line, style) for indent, text, style in texts for line in hanging(text, columns, indent)]
    )
