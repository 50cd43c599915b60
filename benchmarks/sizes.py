"""Measure commands on text files of 32 MiB: `python benchmarks/sizes.py [PART_OF_A_FILE ...]`.

Each file of a registry of four samples gets right, wrong and hostile content by turns, and commands
read it. The table shows the most CPU time and the most memory of any command, by file. Memory is
also given above that of the same command without a large file, which is what tests limit.

The contents and the commands are in tests/support/sizes.py.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from timing import Report

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from sceneset.cli.scaffold import lay_out
from support.build import NAME, git, make_delivery
from support.sizes import FILES, READ, cases, good_text, measured, measured_with

os.environ |= {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Benchmark"), ("EMAIL", "benchmark@example.com"))
}
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


class Measured(NamedTuple):
    """What one command needs for one content of a file."""

    seconds: float
    megabytes: float
    added: float
    """Memory above that of the same command without a large file, in MiB."""
    content: str
    command: str


def create_registry(folder: Path) -> Path:
    """Create a registry of four samples with a remote and a version; return its folder."""
    root = folder / "registry"
    lay_out(root)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Empty registry")
    delivery = make_delivery(folder / "delivery")
    for words in (
        ("sceneset", "add", str(delivery), "--name", NAME),
        ("dvc", "repro"),
        ("sceneset", "remote", str(folder / "store")),
    ):
        subprocess.run([sys.executable, "-m", *words], cwd=root, check=True, capture_output=True)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "A subset and a remote")
    for words in (("dvc", "push"), ("sceneset", "release", "1.0.0")):
        subprocess.run([sys.executable, "-m", *words], cwd=root, check=True, capture_output=True)
    return root


def main() -> None:
    """Measure the files whose path has one of the words of the command line, or all."""
    wanted = sys.argv[1:]
    files = [file for file in FILES if not wanted or any(word in file for word in wanted)]
    report = Report("Text files of 32 MiB (YAML also of 15 MiB), the worst of all commands")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SCENESET_CACHE_DIR"] = f"{folder}/cache"
        root = create_registry(Path(folder))
        bases = {command: measured(root, words).megabytes for command, words in READ.items()}
        for file in files:
            sys.stderr.write(f"{file}...\n")
            found = []
            for _, content, commands in (case for case in cases() if case[0] == file):
                text = FILES[file][content](good_text(root, file))
                for command in commands:
                    run = measured_with(root, file, text, READ[command])
                    added = run.megabytes - bases[command]
                    found.append(Measured(run.seconds, run.megabytes, added, content, command))
            slowest = max(found)
            largest = max(found, key=lambda one: one.added)
            report.line(
                file.replace(NAME, "NAME"),
                f"{slowest.seconds:.1f} s, {largest.megabytes:.0f} MiB (+{largest.added:.0f})",
                f"time: {slowest.command}, {slowest.content}; "
                f"memory: {largest.command}, {largest.content}",
            )
    report.show()


if __name__ == "__main__":
    main()
