"""Reviews: a change to a registry is compared with its base without any blob."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml

from sceneset.catalog.reader import Catalog
from sceneset.quality import evaluate
from sceneset.quality.leakage import find_leakage
from sceneset.reporting.review import review
from sceneset.schemas.finding import Finding
from sceneset.schemas.tag import Tag
from support.build import NAME, ROOT, Run, dvc, git, make_delivery
from support.policy import waive


@pytest.fixture
def clone(added: Path, tmp_path: Path) -> Path:
    """A clone without images and without a DVC cache, on a new branch."""
    root = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(added), str(root))
    git(root, "checkout", "--quiet", "-b", "relabel")
    assert not list(root.rglob("*.jpg"))
    return root


def relabel(root: Path, old: str, new: str) -> None:
    tags = root / f"registry/tags/{NAME}.csv"
    text = tags.read_text()
    assert old in text
    tags.write_text(text.replace(old, new))


def test_review_reports_no_changes_when_nothing_changed(clone: Path, sceneset: Run) -> None:
    outcome = sceneset("review", cwd=clone)
    assert outcome.code == 0, outcome.err
    assert "✅ ready to merge" in outcome.out
    assert "Samples: no changes." in outcome.out
    assert "No findings." in outcome.out


def test_review_lists_scenes_and_rows_when_a_scene_is_added(clone: Path, sceneset: Run) -> None:
    relabel(clone, "train,a,ski,single", "train,a,ski;city,single")
    entry = clone / f"registry/subsets/{NAME}.yaml"
    row = "- scene: city\n  persons: single\n  file: city.txt\n"
    entry.write_text(entry.read_text().replace("splits:\n", f"splits:\n{row}"))
    stale = sceneset("review", cwd=clone)
    assert stale.code == 1
    assert "the pipeline is out of date" in stale.out
    dvc(clone, "repro", "--allow-missing")
    outcome = sceneset("review", "main", cwd=clone)
    assert outcome.code == 0, outcome.out
    assert "Scenes added: city." in outcome.out
    assert (
        f"| {NAME.replace('_', chr(92) + '_')} | city.txt | city | single | train | 0 | 1 |"
        in outcome.out
    )
    assert "at least a minor step" in outcome.out
    found = sceneset("review", "main", "--json", cwd=clone).json
    assert (found["good"], found["scenes"]["added"]) == (True, ["city"])
    assert [(row["file"], row["before"], row["after"]) for row in found["rows"]] == [
        ("city.txt", 0, 1)
    ]


def test_review_lists_only_findings_that_the_base_does_not_have(clone: Path, sceneset: Run) -> None:
    entry = clone / f"registry/subsets/{NAME}.yaml"
    entry.write_text(entry.read_text().replace("file: ski.txt", "file: ski.txt\n  images: 9"))
    outcome = sceneset("review", cwd=clone)
    assert outcome.code == 1
    assert "❌ not ready to merge" in outcome.out
    assert "`count-differs`" in outcome.out
    git(clone, "commit", "--quiet", "--all", "--message", "Wrong")
    again = sceneset("review", "HEAD", "--json", cwd=clone).json
    assert "count-differs" not in {p["code"] for p in again["new"]}
    assert not again["good"], "errors of the base still prevent merging"


def test_review_does_not_report_old_findings_of_moved_samples_as_new(
    clone: Path, sceneset: Run
) -> None:
    params = clone / "params.yaml"
    params.write_text(params.read_text().replace("min_person: 0.02", "min_person: 0.99"))
    git(clone, "commit", "--quiet", "--all", "--message", "A stricter threshold")
    assert sceneset("move", "ski", "--match", "[ab]", "--phase", "val", cwd=clone).code == 0
    found = sceneset("review", "HEAD", "--json", cwd=clone).json
    assert found["problems"] >= 4
    assert "person-small" not in {p["code"] for p in found["new"]}


def test_review_reports_leakage_when_a_held_out_image_is_in_train(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    git(registry, "branch", "base")
    delivery = make_delivery(tmp_path / "d", train=("a", "b"), val=("c",))
    (delivery / "split_dir/ski_muiltiperson.txt").unlink()
    shutil.copyfile(delivery / "img_dir/train/a.jpg", delivery / "img_dir/val/c.jpg")
    for file in ("total.txt", "ski.txt"):
        (delivery / "split_dir" / file).write_text("a\nb\n")
    outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 0, outcome.err
    dvc(registry, "repro", check=False)
    page = sceneset("review", "base", cwd=registry)
    assert page.code == 1
    assert "`leak-bytes`: a held-out image is also a training image | 1 |" in page.out
    git(registry, "add", "--all")
    git(registry, "commit", "--quiet", "--message", "A leak")
    again = sceneset("review", "HEAD", "--json", cwd=registry).json
    assert "leak-bytes" not in {p["code"] for p in again["new"]}
    assert again["problems"]


def test_review_compares_samples_of_the_base_only_if_the_change_has_such_findings(
    clone: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = []

    def find(catalog: Catalog) -> list[Finding]:
        searched.append(catalog.root)
        return find_leakage(catalog)

    monkeypatch.setattr(evaluate, "find_leakage", find)
    assert sceneset("review", cwd=clone).code == 0
    assert searched == [clone]
    waive(clone, "duplicate-near", "train/a")
    dvc(clone, "repro", "--allow-missing")
    found = sceneset("review", "--json", cwd=clone).json
    assert [p["code"] for p in found["new"]] == ["waiver-stale"]
    assert len(searched) == 3
    git(clone, "commit", "--quiet", "--all", "--message", "A waiver")
    assert sceneset("review", "HEAD", "--json", cwd=clone).json["new"] == []


def test_workflow_template_runs_review_and_is_shown_in_the_docs() -> None:
    text = (ROOT / "src/sceneset/cli/templates/workflow.yml").read_text("utf-8")
    steps = yaml.safe_load(text)["jobs"]["review"]["steps"]
    assert any("sceneset review" in step.get("run", "") for step in steps)
    page = (ROOT / "docs/ci.md").read_text("utf-8")
    assert text.split("\n", 1)[1] in page, "docs/ci.md shows the whole template"


def test_review_says_why_the_base_can_not_be_compared(clone: Path, sceneset: Run) -> None:
    tags = clone / f"registry/tags/{NAME}.csv"
    good = tags.read_text()
    tags.write_text(good.replace("phase", "fase", 1))
    git(clone, "commit", "--quiet", "--all", "--message", "Broken")
    tags.write_text(good)
    page = sceneset("review", "HEAD", cwd=clone).out
    assert "the changes since HEAD can't be shown, because HEAD has an error" in page
    assert "the columns are fase" in page
    found = sceneset("review", "HEAD", "--json", cwd=clone).json
    assert found["base_error"]["code"] == "csv-broken"
    assert sceneset("review", "HEAD~1", "--json", cwd=clone).json["base_error"] is None


def test_review_parses_the_tags_of_each_state_once(
    added: Path, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relabel(clone, "train,a,ski,single", "train,a,ski,multi")
    parsed: Counter[Path] = Counter()
    read_tags = Catalog._read_tags

    def counted(catalog: Catalog, name: str) -> list[Tag]:
        parsed[catalog.paths.tags(name)] += 1
        return read_tags(catalog, name)

    monkeypatch.setattr(Catalog, "_read_tags", counted)
    found = review(Catalog(added), Catalog(clone))
    assert found.diff
    assert found.diff.counts["scenes"] == 1
    assert parsed == {root / f"registry/tags/{NAME}.csv": 1 for root in (added, clone)}
