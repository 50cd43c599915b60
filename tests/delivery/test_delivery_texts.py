"""The texts of a delivery: --entry, --tags, and split files that mix phases or persons."""

import csv
from pathlib import Path

import pytest
import yaml

from support.build import NAME, make_delivery, snapshot
from support.printed import findings

ROWS = "splits:\n- {scene: total, file: total.txt}\n"


@pytest.mark.parametrize("options", [(), ("--quarantine", "left")])
@pytest.mark.parametrize(
    ("entry", "errors", "words"),
    [
        pytest.param("kind: full\na: : b", {("entry.yaml:2", "yaml-broken")}, [], id="broken YAML"),
        pytest.param(b"\xff", {("entry.yaml:1", "file-unreadable")}, ["UTF-8"], id="not UTF-8"),
        pytest.param("", {("entry.yaml:1", "schema")}, ["holds no fields"], id="empty"),
        pytest.param("name: CustomSeg_Person_20240101_x\n", {("entry.yaml:1", "schema")},
                     ["CustomSeg_Person_20240101_x", NAME], id="another name"),
        pytest.param("# why\nkind: half\nimg_suffix: .bmp\nowner: me\n",
                     {(f"entry.yaml:{n}", "schema") for n in (2, 3, 4)}, ["known fields"],
                     id="three fields wrong"),
        pytest.param(ROWS + "- {scene: ski, persons: single, file: ski.txt, images: 3}\n",
                     {("entry.yaml:3", "count-differs")}, ["declares 3 images", "tags select 2"],
                     id="wrong count"),
        pytest.param(ROWS + "- {scene: skii, file: ski.txt}\n",
                     {("entry.yaml:3", "unknown-scene")}, ["did you mean ski"], id="unknown scene"),
    ],
)  # fmt: skip
def test_add_refuses_the_delivery_when_the_entry_is_bad(
    entry, errors, words, options, delivery, registry, sceneset
):
    path = delivery.parent / "entry.yaml"
    path.write_bytes(entry if isinstance(entry, bytes) else entry.encode())
    before = snapshot(registry)
    command = ("add", delivery, "--name", NAME, "--entry", path, "--all")
    refused = sceneset(*command, *options, cwd=registry)
    assert refused.code == 1
    assert findings(refused.err) == errors
    assert all(word in refused.err for word in words), refused.err
    assert snapshot(registry) == before


@pytest.mark.parametrize(
    ("entry", "split_file", "place"),
    [
        pytest.param(True, False, "entry.yaml:3", id="in the entry"),
        pytest.param(False, True, "split_dir/sea.txt", id="as an empty file"),
    ],
)
def test_row_without_samples_is_an_error_and_quarantine_leaves_it_out(
    entry, split_file, place, delivery, registry, sceneset
):
    path = delivery.parent / "entry.yaml"
    path.write_text(ROWS + ("- {scene: sea, persons: single, file: sea.txt}\n" if entry else ""))
    if split_file:
        (delivery / "split_dir/sea.txt").touch()
    command = ("add", delivery, "--name", NAME, "--entry", path, "--all")
    refused = sceneset(*command, cwd=registry)
    assert (refused.code, findings(refused.err)) == (1, {(place, "row-empty")})
    accepted = sceneset(*command, "--quarantine", "left", "--dry-run", cwd=registry)
    assert findings(accepted.err, "warning") == {("split_dir/sea.txt", "row-left-out")}
    assert "sea.txt" not in accepted.out


def test_kind_must_be_the_same_in_entry_and_command_and_its_rules_apply(
    delivery, registry, sceneset
):
    path = delivery / "entry.yaml"  # not a stray file, because --entry names it
    path.write_text("kind: crop\n")
    command = ("add", delivery, "--name", NAME, "--entry", path, "--dry-run", "--all")
    refused = sceneset(*command, "--kind", "full", cwd=registry)
    assert findings(refused.err) == {("entry.yaml:1", "schema")}
    # As a crop subset, two of its samples are multi.
    refused = sceneset(*command, cwd=registry)
    assert findings(refused.err) == {("split_dir", "crop-multi")}


HEAD = "phase,stem,scenes,persons\n"
GOOD = "train,a,ski,single\ntrain,b,ski,single\ntrain,c,ski,multi\n"


@pytest.mark.parametrize("options", [(), ("--quarantine", "left")])
@pytest.mark.parametrize(
    ("tags", "errors", "words"),
    [
        pytest.param("stem\na\n", {("tags.csv:1", "csv-broken")}, ["phase,stem"], id="columns"),
        pytest.param(b"\xff", {("tags.csv:1", "file-unreadable")}, ["UTF-8"], id="not UTF-8"),
        pytest.param(f"{HEAD}{GOOD}train,d,ski\n", {("tags.csv:5", "csv-broken")},
                     ["3 values for 4"], id="a value missing"),
        pytest.param(f"{HEAD}training,a,滑雪,few\n{GOOD}",
                     {("tags.csv:2", "schema")}, ["phase: ", "scenes: '滑雪'", "persons: "],
                     id="three values wrong"),
        pytest.param(f"{HEAD}{GOOD}train,d,skii,\n",
                     {("tags.csv:5", "unknown-scene"), ("split_dir/ski_muiltiperson.txt:2",
                                                        "split-differs")},
                     ["did you mean ski"], id="unknown scene"),
        pytest.param(f"{HEAD}{GOOD}train,d,ski,multi\ntrain,a,,\n",
                     {("tags.csv:6", "tag-duplicate")}, ["line 2"], id="two rows for a sample"),
        pytest.param(f"{HEAD}{GOOD}train,d,ski,multi\nval,z,,\n",
                     {("tags.csv:6", "tag-without-image")}, ["val 'z'"], id="no image"),
        pytest.param(HEAD + GOOD, {("tags.csv", "image-without-tag")}, ["train,d"], id="no tags"),
        pytest.param(f"{HEAD}{GOOD}train,d,ski,single\n",
                     {(f"split_dir/{f}", "split-differs")
                      for f in ("ski.txt", "ski_muiltiperson.txt:2")}, [],
                     id="contradict the split files"),
    ],
)  # fmt: skip
def test_add_refuses_the_delivery_when_the_tags_are_bad(
    tags, errors, words, options, delivery, registry, sceneset
):
    path = delivery.parent / "tags.csv"
    path.write_bytes(tags if isinstance(tags, bytes) else tags.encode())
    before = snapshot(registry)
    command = ("add", delivery, "--name", NAME, "--tags", path, "--all")
    refused = sceneset(*command, *options, cwd=registry)
    assert refused.code == 1
    assert findings(refused.err) == errors
    assert all(word in refused.err for word in words), refused.err
    assert snapshot(registry) == before


def test_quarantine_leaves_out_the_tags_of_a_bad_sample(delivery, registry, tmp_path, sceneset):
    (delivery / "img_dir/train/b.jpg").write_bytes(b"")
    tags = tmp_path / "tags.csv"
    tags.write_text(f"{HEAD}{GOOD}train,d,ski,multi\n")
    command = ("add", delivery, "--name", NAME, "--tags", tags, "--quarantine", tmp_path / "left")
    outcome = sceneset(*command, "--dry-run", "--json", cwd=registry)
    assert (outcome.code, outcome.json["samples"], outcome.json["left_out"]) == (0, 3, 1)


def add_and_read_tags(
    registry: Path, folder: Path, sceneset, *options: object
) -> dict[str, dict[str, str]]:
    """Add a delivery and return its tags by "phase stem"; check that the registry can read them."""
    outcome = sceneset("add", folder, "--name", NAME, *options, cwd=registry)
    assert outcome.code == 0, outcome.err
    assert sceneset("lookup", cwd=registry).code == 0
    with (registry / f"registry/tags/{NAME}.csv").open(encoding="utf-8", newline="") as file:
        return {f"{row['phase']} {row['stem']}": row for row in csv.DictReader(file)}


def test_persons_are_kept_and_reported_when_they_differ_between_scenes(
    tmp_path, registry, sceneset
):
    splits = {"ski.txt": "ab", "ski_muiltiperson.txt": "bc", "city_muiltiperson.txt": "ad"}
    folder = make_delivery(tmp_path / "delivery", splits)
    outcome = sceneset("add", folder, "--name", NAME, "--dry-run", "--all", cwd=registry)
    warned = [line for line in outcome.err.splitlines() if "[persons-conflict]" in line]
    assert [line.split(" is ")[0].split()[-1] for line in warned] == ["a", "b"]
    tags = add_and_read_tags(registry, folder, sceneset)
    assert tags["train a"]["scenes"] == "city:multi;ski:single"
    assert tags["train b"]["scenes"] == "ski:multi;ski:single"
    assert tags["train c"] | {"scenes": "ski", "persons": "multi"} == tags["train c"]
    rows = {r["split_file"]: r["images"] for r in sceneset("lookup", "--json", cwd=registry).json}
    assert rows == {"total.txt": 4} | {name: len(stems) for name, stems in splits.items()}


def test_split_file_becomes_one_file_for_each_phase_when_it_mixes_phases(
    tmp_path, registry, sceneset
):
    splits = {"ski.txt": "abv", "city.txt": "a", "city_val.txt": "a", "total.txt": "abv"}
    folder = make_delivery(tmp_path / "delivery", splits, train="ab", val="av")
    outcome = sceneset("add", folder, "--name", NAME, "--dry-run", "--json", cwd=registry)
    assert sorted(p["file"] for p in outcome.json["problems"] if p["code"] == "split-phases") == [
        "split_dir/ski.txt",
        "split_dir/total.txt",
    ]
    tags = add_and_read_tags(registry, folder, sceneset)
    assert {key: row["scenes"] for key, row in tags.items()} == {
        "train a": "city;ski",
        "train b": "ski",
        "val a": "city",
        "val v": "ski",
    }
    found = sceneset("lookup", "--json", cwd=registry).json
    assert {row["split_file"]: (row["phase"], row["images"]) for row in found} == {
        "total.txt": ("train", 2),
        "total_val.txt": ("val", 2),
        "ski.txt": ("train", 2),
        "ski_val.txt": ("val", 1),
        "city.txt": ("train", 1),
        "city_val.txt": ("val", 1),
    }


def test_split_file_takes_scene_and_persons_from_its_row_in_the_entry(tmp_path, registry, sceneset):
    entry = tmp_path / "entry.yaml"
    rows = [
        {"scene": "ski", "file": "all_on_snow.txt", "images": 3, "description": {"zh": "雪地"}},
        {"scene": "ski", "persons": "single", "file": "one.txt"},
        {"scene": "sea", "source": "clip-1", "file": "clip.txt"},
    ]
    entry.write_text(yaml.safe_dump({"description": {"en": "two | pipes"}, "splits": rows}))
    # b is single in the city; the row of ski does not specify persons.
    splits = {"all_on_snow.txt": "abc", "one.txt": "a", "city.txt": "b", "clip.txt": "d"}
    folder = make_delivery(tmp_path / "delivery", splits)
    tags = add_and_read_tags(registry, folder, sceneset, "--entry", entry)
    assert (tags["train a"]["scenes"], tags["train a"]["persons"]) == ("ski", "single")
    assert (tags["train b"]["scenes"], tags["train b"]["persons"]) == ("city:single;ski", "")
    assert tags["train d"]["source"] == "clip-1"
    found = {r["split_file"]: r["images"] for r in sceneset("lookup", "--json", cwd=registry).json}
    assert found == {"total.txt": 4} | {name: len(stems) for name, stems in splits.items()}


def test_rows_come_from_the_tags_when_there_are_no_split_files(tmp_path, registry, sceneset):
    tags = tmp_path / "tags.csv"
    tags.write_text(f"{HEAD}{GOOD}train,d,ski;city:single,multi\n")
    folder = make_delivery(tmp_path / "delivery", {})
    add_and_read_tags(registry, folder, sceneset, "--tags", tags)
    found = {r["split_file"]: r["images"] for r in sceneset("lookup", "--json", cwd=registry).json}
    assert found == {"total.txt": 4, "city.txt": 1, "ski.txt": 2, "ski_muiltiperson.txt": 2}
