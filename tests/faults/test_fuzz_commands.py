"""Commands on broken registries: an exit code of 0, 1 or 2 and a message, never a traceback.

A short seeded run is part of all tests; the one marked "sweep" is as long as SCENESET_FUZZ says.
"""

import os
import random
import shutil
from pathlib import Path

import pytest

from support.build import NAME, Outcome, Run, git, make_delivery
from support.spoil import FILES, spoiled
from support.vectors import write_vectors

MORE = int(os.environ.get("SCENESET_FUZZ", "1"))
ENTRY, TAGS = f"registry/subsets/{NAME}.yaml", f"registry/tags/{NAME}.csv"
MUTATED = (
    *FILES,
    f"registry/lineage/{NAME}.csv",
    "registry/used.csv",
    "registry/dropped.csv",
    f"registry/crops/{NAME}.csv",
    *(
        "dvc.lock",
        "dvc.yaml",
        ".dvc/config",
        "registry/manifest.json",
        "registry/reports/check.json",
    ),
    *(f"registry/stats/{NAME}.yaml", f"Insta360SemanticSeg/{NAME}/split_dir/ski.txt"),
)
QUICK = (
    ("check", "--json"),
    ("lookup", "ski", "--samples", "--json"),
    ("lookup", "ski", "--stems"),
    ("show", "web"),
    ("scenes",),
    ("versions",),
)
SLOW = (
    ("diff", "HEAD", "--samples"),
    ("review", "HEAD"),
    ("check", "--rev", "HEAD"),
    ("diff", "HEAD~1", "HEAD", "--json"),
    ("release", "9.0.0"),
)
OTHERS = (
    ("versions", "1.0.0"),
    ("selections", "--json"),
    ("lookup", "--samples", "--json"),
    ("diff", "1.0.0", "--samples"),
    ("fix", "web"),
    ("forget", "web/train/a", "--reason", "case 1", "--dry-run"),
    ("verify",),
    ("pull", "ski", "--to", "../pulled"),
    ("view", "--to", "../view.html"),
    ("card", "--to", "../card.md"),
    ("site", "--to", "../catalogue"),
    ("evaluate", "--against", "HEAD"),
    ("plan", "--target", "3"),
    ("suggest", "--vectors", "../clip.parquet"),
    ("crop", "web", "--boxes", "../boxes.json", "--name", f"{NAME}2", "--dry-run"),
    ("fineness", "--json"),
    ("serve", "--index"),
    ("sql", "select count(*) from samples"),
    ("check", "--rev", "HEAD"),
    ("tag", "ski", "--boxes", "3", "--dry-run"),
    ("move", "ski", "--match", "a", "--phase", "val", "--dry-run"),
    ("drop", "--match", "a", "--reason", "case 1", "--dry-run"),
    ("retire", "web", "--reason", "case 1", "--dry-run"),
    ("rename", "web", f"{NAME}2", "--dry-run"),
    ("scene", "rename", "ski", "alpine", "--dry-run"),
    ("split", "web", "--val", "0.5"),
)
_A, _B, _C, _D = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)
RECORDS = {
    "registry/forgotten.yaml": f"""forgotten:
- {{image: {_C}, phash: 0123456789abcdef, phash_mirror: fedcba9876543210, reason: case 1}}
- image: {_D}
  phash: 00ff00ff00ff00ff
  phash_mirror: ff00ff00ff00ff00
  picture: {_B}
  masks: [{_A}]
  reason: case 2
""",
    "registry/waivers.yaml": f"""waivers:
- code: mask-specks
  subset: {NAME}
  sample: train/a
  reason: a glove
  date: 2024-01-20
- {{code: duplicate-near, subset: {NAME}, sample: train/b, reason: snow, date: 2024-01-21}}
""",
    f"registry/lineage/{NAME}.csv": "phase,stem,image_md5,mask_md5,"
    "new_phase,new_stem,new_image_md5,new_mask_md5,reason\n"
    f"train,a,{_A},{_B},train,a,{_C},{_B},fix: image-gps\n"
    f'val,b,{_D},{_B},train,b,{_B},{_B},"fix: image-gps, image-orientation"\n',
    f"registry/crops/{NAME}.csv": "phase,stem,image_md5,original,original_md5,frame,orientation,"
    "box,score,grow,ignored,boxes\n"
    f"train,a,{_A},{NAME}/train/z,{_B},0 0 32 24,1,2.00 2.00 30.00 22.00,0.9,0.1,0,b.json\n",
    "registry/dropped.csv": "subset,sample,image_md5,reason\n"
    f"{NAME},train/z,{_A},out of focus\nCustomSeg_Person_20200101_old,,,replaced\n",
    "registry/used.csv": "version,selection,run,digest\n1.0.0,,https://example.com/runs/1,\n",
}
"""Files that a registry has after some work, with good content."""
CHANGES = (
    ("fix", "web", "--apply"),
    ("forget", "web/train/a", "--reason", "case 1"),
    ("forget", "web/train/b", "--reason", "case 1", "--purge"),
)
PIPELINE = ("dvc.lock", "dvc.yaml", ".dvc/config", "params.yaml", ENTRY)
BROKEN = {"syntax": b"stages: [\n", "list": b"[1, 2]\n", "odd": b"schema: '2.0'\nstages: [1]\n",
          "date": b"stages: 2024-13-45\n", "bytes": b"\xff\xfe", "deep": b"[" * 5000,
          "very-deep": b"- " * 200_000}  # fmt: skip
FIELD = {
    "stem-of-no-scan": (TAGS, lambda text: f"{text}train,unheard,ski,single,1,,\n"),
    "no-row-fits": (ENTRY, lambda text: f"{text.partition('splits:')[0]}splits:\n"
                    "- {scene: city, persons: multi, file: city.txt}\n"),
    "header-alone": (TAGS, lambda text: text.partition("\n")[0] + "\n"),
    "empty": (TAGS, lambda _: ""),
    "null": (ENTRY, lambda _: "null\n"),
    "no-subsets": ("params.yaml", lambda text: text.replace(f"- {NAME}", "[]")),
}  # fmt: skip


def check_outcome(outcome: Outcome, what: object) -> None:
    """Check how a command ended; an exception that it does not report has failed the test."""
    assert outcome.code in {0, 1, 2}, what
    assert "Traceback" not in outcome.err + outcome.out, what
    if outcome.code:
        assert outcome.err.strip() or outcome.out.strip(), what


@pytest.fixture
def broken(tmp_path: Path, _released_registry: Path) -> Path:
    shutil.copytree(_released_registry, tmp_path / "home", symlinks=True)
    root = tmp_path / "home/registry"
    vectors = [[1, 0], [1, 1], [0, 1], [1, -1]]
    write_vectors(tmp_path / "home/clip.parquet", {"stem": list("abcd")}, vectors)
    (tmp_path / "home/boxes.json").write_text('[{"image_id": "a", "bbox": [8, 4, 16, 16]}]')
    for file, text in RECORDS.items():
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text(text, "utf-8")
    git(root, "add", "registry")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "As it was")
    return root


def run_all(root: Path, sceneset: Run, file: str, data: bytes, *, is_slow: bool) -> None:
    """Run the commands with a file changed in the working tree, and then committed."""
    (root / file).write_bytes(data)
    for words in QUICK:
        check_outcome(sceneset(*words, cwd=root), (file, words))
    if is_slow:
        for words in SLOW[:2]:
            check_outcome(sceneset(*words, cwd=root), (file, words))
        git(root, "commit", "--quiet", "--allow-empty", "--all", "--message", "Broken")
        for words in SLOW[2:]:
            check_outcome(sceneset(*words, cwd=root), (file, words))


@pytest.mark.parametrize("case", FIELD)
def test_commands_report_a_registry_as_the_field_had_it(
    case: str, broken: Path, sceneset: Run
) -> None:
    file, change = FIELD[case]
    text = (broken / file).read_text("utf-8")
    assert change(text) != text
    run_all(broken, sceneset, file, change(text).encode(), is_slow=True)


@pytest.mark.parametrize("file", MUTATED)
def test_commands_report_a_mutated_file(file: str, broken: Path, sceneset: Run) -> None:
    good = (broken / file).read_bytes()
    for seed in range(2):
        run_all(broken, sceneset, file, spoiled(good, seed), is_slow=False)


@pytest.mark.sweep
@pytest.mark.parametrize("file", MUTATED)
def test_all_commands_report_a_mutated_file(file: str, broken: Path, sceneset: Run) -> None:
    good = (broken / file).read_bytes()
    head = git(broken, "rev-parse", "HEAD").strip()
    for seed in range(100, 100 + 5 * MORE):
        run_all(broken, sceneset, file, spoiled(good, seed), is_slow=seed % 5 == 0)
        for tag in git(broken, "tag", "--list", "*9.0.0").split():
            git(broken, "tag", "--delete", tag)
        git(broken, "reset", "--quiet", "--hard", head)


@pytest.mark.sweep
@pytest.mark.parametrize("file", MUTATED)
def test_a_command_reports_each_of_many_mutations(file: str, broken: Path, sceneset: Run) -> None:
    """One command for each mutation, by turns; those that start DVC are in the tests above."""
    good = (broken / file).read_bytes()
    commands = (*QUICK, *OTHERS)
    for seed in range(10_000, 10_000 + 100 * MORE):
        words = commands[seed % len(commands)]
        (broken / file).write_bytes(spoiled(good, seed))
        check_outcome(sceneset(*words, cwd=broken), (file, words, seed))
        shutil.rmtree(broken.parent / "pulled", ignore_errors=True)
        if words[0] == "check":
            (broken / file).write_bytes(good)
            assert sceneset("check", cwd=broken).code == 0, "the mutation left something behind"


def run_changes(root: Path, sceneset: Run, file: str, data: bytes) -> None:
    """Run the commands that change a registry; none may block those after it."""
    head = git(root, "rev-parse", "HEAD").strip()
    for words in CHANGES:
        (root / file).write_bytes(data)
        check_outcome(sceneset(*words, cwd=root), (file, words))
        assert not (root / ".sceneset/transaction/record.json").exists(), (file, words)
        git(root, "reset", "--quiet", "--hard", head)
        git(root, "clean", "--quiet", "--force", "-d")


@pytest.mark.parametrize(
    "case",
    [
        *("syntax", "deep", "very-deep"),
        *(pytest.param(case, marks=pytest.mark.sweep) for case in ("list", "odd", "date", "bytes")),
    ],
)
@pytest.mark.parametrize("file", ["dvc.lock", "dvc.yaml"])
def test_changes_report_a_pipeline_that_can_not_be_read(
    case: str, file: str, broken: Path, sceneset: Run
) -> None:
    """The stages run after a change is made: it stays, and the error is one line."""
    (broken / file).write_bytes(BROKEN[case])
    outcome = sceneset(*CHANGES[1], cwd=broken)
    check_outcome(outcome, case)
    assert outcome.code == 1
    assert file in outcome.err
    assert not (broken / ".sceneset/transaction/record.json").exists()
    git(broken, "checkout", "--quiet", "HEAD", "--", file)
    assert sceneset(*CHANGES[2], cwd=broken).code == 0, "other commands go on"


@pytest.mark.sweep
@pytest.mark.parametrize("file", dict.fromkeys((*PIPELINE, *MUTATED)))
def test_changes_report_a_mutated_file(file: str, broken: Path, sceneset: Run) -> None:
    good = (broken / file).read_bytes()
    for seed in range(300, 300 + 3 * MORE):
        run_changes(broken, sceneset, file, spoiled(good, seed))


def _bring(folder: Path) -> dict[str, bytes]:
    make_delivery(folder / "delivery")
    entry = "description: {en: a}\nsplits:\n  - {scene: ski, persons: single, file: ski.txt}\n"
    head = "phase,stem,scenes,persons,boxes,source,origin\n"
    rows = "".join(f"train,{stem},ski,single,1,clip,\n" for stem in "abcd")
    return {"entry.yaml": entry.encode(), "tags.csv": (head + rows).encode()}


def add_with(root: Path, sceneset: Run, folder: Path, files: dict[str, bytes]) -> Outcome:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    options = ("--tags", folder / "tags.csv", "--entry", folder / "entry.yaml")
    return sceneset(
        "add", folder / "delivery", "--name", NAME + "-x", *options, "--dry-run", cwd=root
    )


@pytest.mark.parametrize(
    "tags", [b"", b"phase,stem\n", b"phase,stem\ntrain,unheard\n", b"phase,stem\nval,a\n"]
)
def test_add_reports_tags_that_fit_nothing(
    tags: bytes, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    files = _bring(tmp_path) | {"tags.csv": tags}
    outcome = add_with(registry, sceneset, tmp_path, files)
    assert outcome.code == 1
    check_outcome(outcome, tags)


@pytest.mark.parametrize(
    "seeds",
    [range(20), pytest.param(range(20, 20 + 200 * MORE), marks=pytest.mark.sweep)],
    ids=["short", "long"],
)
def test_add_reports_mutated_tags_and_entries(
    seeds: range, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    good = _bring(tmp_path)
    for seed in seeds:
        name = random.Random(seed).choice(sorted(good))
        files = good | {name: spoiled(good[name], seed)}
        check_outcome(add_with(registry, sceneset, tmp_path, files), (name, seed))
