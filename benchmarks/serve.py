"""Measure `sceneset serve` with a million samples against SQL: `make bench-serve`.

Requests go over HTTP to a server of its own; each one differs from all others, so that no answer is
remembered. SQL runs on the same index in this process, without HTTP.
"""

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

import tables
from timing import Report, Run, time_in_turns

SUBSETS, ROUNDS = 20, 9
_number = count(1)


@contextmanager
def server(root: Path) -> Iterator[str]:
    """Start a server in a process of its own; yield its address."""
    words = [sys.executable, "-m", "sceneset", "serve", "--port", "0"]
    with subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout
            yield child.stdout.readline().strip()
        finally:
            child.terminate()


def request(url: str, words: Sequence[str] = ("",)) -> Run:
    """Return a function that sends a request.

    Args:
        url: The address; {n} is another number each time, and {word} another one of the words.
        words: Words to search for.
    """

    def run() -> bytes:
        number = next(_number)
        # Widths are 1280: these limits select all samples.
        address = url.replace("{n}", str(number % 1000))
        address = address.replace("{word}", words[number % len(words)])
        with urllib.request.urlopen(address) as answer:
            return bytes(answer.read())

    return run


def query(connection: sqlite3.Connection, *statements: str) -> Run:
    """Return a function that runs SQL."""

    def run() -> list[list[tuple[object, ...]]]:
        return [connection.execute(statement).fetchall() for statement in statements]

    return run


def searches(report: Report, url: str, sql: sqlite3.Connection) -> None:
    """Compare searches for parts of names, and of words."""
    api = f"{url}api/samples?min_width={{n}}&text="
    with report.section("Search for a part of a stem; the first 60 samples and the total"):
        total = "SELECT count(*) FROM sample WHERE stem LIKE '%{0}%'"
        page = "SELECT * FROM samples WHERE stem LIKE '%{0}%' ORDER BY id LIMIT 60"
        rare = [f"{number:03x}" for number in range(0xA00, 0xA80)]
        frequent = [f"{number:02d}" for number in range(40)]
        for words, word, what in ((rare, "a3f", "rare"), (frequent, "00", "frequent")):
            programs = {
                f"sceneset serve, {what}": request(f"{api}{{word}}", words),
                f"LIKE, {what}": query(sql, total.format(word), page.format(word)),
            }
            report.add(time_in_turns(programs, ROUNDS), {})
    with report.section("Search for a Chinese word of two characters"):
        match = "SELECT count(*) FROM search WHERE search MATCH '滑雪'"
        names = (
            "SELECT count(DISTINCT sample) FROM sample_scene JOIN scene ON key = scene "
            "WHERE zh LIKE '%滑雪%'"
        )
        programs = {
            "sceneset serve, 滑雪": request(f"{api}{quote('滑雪')}"),
            "FTS5, pairs of characters": query(sql, match),
            "LIKE over names of scenes": query(sql, names),
        }
        report.add(time_in_turns(programs, ROUNDS), {"sceneset serve, 滑雪": "with 60 samples"})


def counts(report: Report, url: str, sql: sqlite3.Connection) -> None:
    """Compare facets."""
    where = "WHERE sample.phase = 'train' AND width >= 100"
    scene = f"""JOIN sample_scene ON sample_scene.sample = sample.id {where}
        AND scene = 'city' AND sample_scene.persons = 'single'"""
    with report.section("Count by scene, persons, phase, subset and rule"):
        for what, address, condition in (
            ("all samples", "", "WHERE width >= 100"),
            ("one phase, scene and number", "&phase=train&scene=city&persons=single", scene),
        ):
            groups = (
                f"SELECT phase, count(*) FROM sample {condition} GROUP BY 1",
                f"SELECT subset, count(*) FROM sample {condition} GROUP BY 1",
                f"SELECT sample.persons, count(*) FROM sample {condition} GROUP BY 1",
            )
            programs = {
                f"sceneset serve, {what}": request(f"{url}api/facets?min_width={{n}}{address}"),
                f"GROUP BY, {what}": query(sql, *groups),
            }
            notes = {f"GROUP BY, {what}": "phase, subset and persons only"}
            report.add(time_in_turns(programs, ROUNDS), notes)


def pages(report: Report, url: str, sql: sqlite3.Connection) -> None:
    """Compare pages far behind the first one."""
    [(subset, phase, stem)] = sql.execute(
        "SELECT subset, phase, stem FROM samples ORDER BY subset, phase, stem LIMIT 1 OFFSET 900000"
        if sql.execute("SELECT count(*) FROM sample").fetchone()[0] > 900_000
        else "SELECT subset, phase, stem FROM samples ORDER BY subset, phase, stem LIMIT 1 OFFSET 9"
    ).fetchall()
    after = quote(f"0.0|{subset}/{phase}/{stem}")
    share = quote(f"0.09765625|{subset}/{phase}/{stem}")
    with report.section("60 samples after the first 900,000"):
        ordered = "SELECT * FROM samples ORDER BY {0} LIMIT 60 OFFSET 900000"
        programs = {
            "sceneset serve, by name": request(f"{url}api/samples?min_width={{n}}&after={after}"),
            "OFFSET, by name": query(sql, ordered.format("samples.subset, phase, stem")),
        }
        report.add(time_in_turns(programs, 3), {})
        sorted_by = "&sort=person-share&after="
        programs = {
            "sceneset serve, by share of the person": request(
                f"{url}api/samples?min_width={{n}}{sorted_by}{share}"
            ),
            "OFFSET, by share of the person": query(sql, ordered.format("person_share")),
        }
        report.add(time_in_turns(programs, 3), {})


def build(report: Report, root: Path) -> None:
    """Measure how long the index takes."""
    program = (sys.executable, "-m", "sceneset", "serve", "--index")
    tags = min((root / "registry/tags").glob("*.csv"))
    with report.section("The index"):
        for what, note in (
            ("built", "all subsets"),
            ("up to date", "nothing changed"),
            ("one subset changed", f"one of {SUBSETS}"),
        ):
            if what == "one subset changed":
                tags.write_text(tags.read_text("utf-8").replace("city", "indoor", 1), "utf-8")
            began, before = time.perf_counter(), os.times()
            subprocess.run(program, cwd=root, check=True, capture_output=True)
            spent, after = time.perf_counter() - began, os.times()
            cpu = after.children_user + after.children_system
            cpu -= before.children_user + before.children_system
            report.line(what, f"{spent:.1f} s", f"{cpu:.1f} s of CPU; {note}")
        size = (root / ".sceneset/index.db").stat().st_size
        report.line("its file", f"{size / (1 << 20):,.0f} MB")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    samples = parser.parse_args().samples
    report = Report(f"sceneset serve, {samples:,} samples in {SUBSETS} subsets")
    folder = Path(tempfile.mkdtemp(prefix="sceneset-bench-"))
    os.environ["SCENESET_CACHE_DIR"] = str(folder / "cache")
    try:
        root = folder / "registry"
        tables.create_registry(root, samples, SUBSETS)
        build(report, root)
        with server(root) as url, closing(sqlite3.connect(root / ".sceneset/index.db")) as sql:
            searches(report, url, sql)
            counts(report, url, sql)
            pages(report, url, sql)
            request(f"{url}en/search.html")()
    finally:
        shutil.rmtree(folder)
    report.show()


if __name__ == "__main__":
    main()
