"""The history of samples over versions, compared with what was done to them."""

import random
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sceneset.catalog.reader import Catalog
from sceneset.schemas.tag import Tag
from sceneset.site.history import subset_histories
from sceneset.site.sample_keys import SampleKeys
from support.build import NAME
from support.site import build, script_values

SUBSETS = tuple(f"CustomSeg_Person_20240115_{letter}" for letter in "abc")


class Known(NamedTuple):
    """A sample in one version."""

    subset: str
    phase: str
    stem: str
    mask: int
    scene: str

    @property
    def place(self) -> tuple[str, ...]:
        return self[:3]


State = dict[int, Known]
"""Samples by the number of their image, which never changes."""


def write(root: Path, template: pa.Table, state: State) -> Catalog:
    """Write a registry that has these samples."""
    names = sorted({sample.subset for sample in state.values()})
    for folder in ("subsets", "tags", "scans"):
        (root / "registry" / folder).mkdir(parents=True)
    (root / "params.yaml").write_text(f"subsets: {names}\n")
    scenes = [
        {"key": key, "name": {"en": key}, "file_stem": key} for key in ("ski", "city", "indoor")
    ]
    (root / "registry/scenes.yaml").write_text(f"scenes: {scenes}\n")
    row = template.to_pylist()[0]
    for name in names:
        found = sorted(((s.phase, s.stem, n) for n, s in state.items() if s.subset == name))
        rows, lines = [], ["phase,stem,scenes,persons,boxes,source\n"]
        for phase, stem, number in found:
            image, mask = number.to_bytes(16), state[number].mask.to_bytes(16)
            rows.append(
                row
                | {"phase": phase, "stem": stem, "image": f"{stem}.jpg", "mask": f"{stem}.png"}
                | {"image_md5": image, "mask_md5": mask, "picture": image, "phash": number}
            )
            lines.append(f"{phase},{stem},{state[number].scene},single,,\n")
        (root / f"registry/tags/{name}.csv").write_text("".join(lines))
        table = pa.Table.from_pylist(rows, template.schema)
        pq.write_table(table, root / f"registry/scans/{name}.parquet")
    return Catalog(root)


def change(state: State, dice: random.Random, free: list[int]) -> State:
    """Return a state after some random changes."""
    new = dict(state)
    for _ in range(dice.randint(0, 6)):
        kind = dice.choice(["add", "remove", "place", "mask", "scene", "swap", "subset"])
        taken = {sample.place for sample in new.values()}
        if kind == "add" or not new:
            place = (dice.choice(SUBSETS), dice.choice(["train", "val"]), f"s{dice.randint(0, 30)}")
            if place not in taken:
                new[free.pop()] = Known(*place, dice.randint(1, 9), "ski")
            continue
        number = dice.choice(sorted(new))
        sample = new[number]
        if kind == "remove":
            del new[number]
        elif kind == "place":
            place = (dice.choice(SUBSETS), dice.choice(["train", "val"]), f"s{dice.randint(0, 30)}")
            if place not in taken:
                new[number] = Known(*place, *sample[3:])
        elif kind == "mask":
            new[number] = sample._replace(mask=sample.mask + 10)
        elif kind == "scene":
            new[number] = sample._replace(scene="city" if sample.scene == "ski" else "ski")
        elif kind == "swap":
            other = dice.choice(sorted(new))
            new[number], new[other] = (
                (
                    Known(*new[other].place, *sample[3:]),
                    Known(*sample.place, *new[other][3:]),
                )
                if other != number
                else (sample, sample)
            )
        else:  # a whole subset is removed
            new = {n: s for n, s in new.items() if s.subset != sample.subset}
    return new


def expected(states: list[State], number: int) -> list[tuple[Any, ...]]:
    """Return what happened to a sample of the last state."""
    events: list[tuple[Any, ...]] = []
    for version, (before, after) in enumerate(pairwise([{}, *states])):
        old, new = before.get(number), after.get(number)
        if new is None:
            events = []
        elif old is None:
            events = [(version, "added")]
        else:
            if old.place != new.place:
                kind = "moved" if old.place[:2] != new.place[:2] else "renamed"
                former = old.place if old.subset != new.subset else old.place[1:]
                events.append((version, kind, "/".join(former)))
            events += [(version, "mask")] * (old.mask != new.mask)
            events += [(version, "scenes")] * (old.scene != new.scene)
    return events


@pytest.fixture
def template(added):
    return pq.read_table(added / f"registry/scans/{NAME}.parquet")


def test_history_of_each_sample_is_what_was_done_to_it(template, tmp_path):
    names = set()
    for seed in range(12):
        dice, free = random.Random(seed), list(range(1, 400))
        states: list[State] = [{}]
        for _ in range(5):
            states.append(change(states[-1], dice, free))
        states = [state for state in states if state]
        if len(states) < 2:
            continue
        catalogs = [write(tmp_path / f"{seed}-{n}", template, s) for n, s in enumerate(states)]
        shown = {name: _keys(catalogs[-1], name) for name in catalogs[-1].names}
        versions = {f"1.{n}.0": catalog for n, catalog in enumerate(catalogs[:-1])}
        found = subset_histories(catalogs[-1], versions, shown)
        assert found.keys() == shown.keys()
        for number, sample in states[-1].items():
            history = found[sample.subset]
            events = [tuple(e) for e in history.samples.get(f"{sample.phase}/{sample.stem}", [])]
            if not events or events[0][1] != "added":
                events = [(history.added, "added"), *events]
            wanted = expected(states, number)
            assert sorted(events) == sorted(wanted), (seed, number)
            assert [e[0] for e in events] == sorted(e[0] for e in events)
            names |= {event[1] for event in events}
            assert max(event[0] for event in events) < len(history.versions)
    assert names == {"added", "moved", "renamed", "mask", "scenes"}  # the test has tried them all


def _keys(catalog: Catalog, name: str) -> SampleKeys:
    return SampleKeys.of(catalog.tags(name))


def test_history_has_no_entry_for_samples_that_pages_do_not_show(template, tmp_path):
    known = Known(SUBSETS[0], "train", "a", 1, "ski")
    secret = known._replace(stem="secret")
    old = write(tmp_path / "old", template, {1: known, 2: secret})
    new = write(tmp_path / "new", template, {1: known, 2: secret._replace(mask=2)})
    tags = [tag for tag in new.tags(SUBSETS[0]) if tag.stem == "a"]
    found = subset_histories(new, {"1.0.0": old}, {SUBSETS[0]: SampleKeys.of(tags)})
    assert "secret" not in found[SUBSETS[0]].script(SUBSETS[0])


def test_version_that_cannot_be_read_is_left_out(template, tmp_path):
    known = Known(SUBSETS[0], "train", "a", 1, "ski")
    catalogs = [
        write(tmp_path / str(n), template, {1: known._replace(mask=n)}) for n in range(1, 5)
    ]
    (catalogs[1].root / f"registry/scans/{SUBSETS[0]}.parquet").write_bytes(b"no scan")
    versions = dict(zip(("1.0.0", "1.1.0", "2.0.0"), catalogs, strict=False))
    shown = {SUBSETS[0]: _keys(catalogs[3], SUBSETS[0])}
    [history] = subset_histories(catalogs[3], versions, shown).values()
    assert history.versions == ["1.0.0", "2.0.0", ""]
    assert history.samples == {"train/a": [[1, "mask"], [2, "mask"]]}


def test_catalogue_has_the_history_of_a_released_registry(released, tmp_path):
    build(released, tmp_path / "to", findings=[])
    values = script_values(tmp_path / f"to/data/history/{NAME}.js")
    assert values == {"versions": ["1.0.0"], "added": 0, "samples": {}}
    assert '"history": true' in (tmp_path / f"to/en/subsets/{NAME}.html").read_text("utf-8")


def test_keys_are_compact_and_in_order():
    tags = [Tag(phase="train", stem=f"IMG {n:05d}", persons=None) for n in range(5000)]
    keys = SampleKeys.of(tags)
    assert [*keys.places()] == [f"train/IMG {n:05d}" for n in range(5000)]
    assert len(keys.packed) < 5 * len(tags)
    assert SampleKeys.of([]).places() == {}
