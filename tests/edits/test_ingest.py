"""What `sceneset add` refuses beyond bad deliveries, and what it verifies after dvc."""

import shutil
from pathlib import Path

import pytest

from sceneset.edits import ingest as add
from support.build import NAME, Run, git, snapshot, write_image


def test_a_delivery_that_changes_meanwhile_is_not_taken(
    registry: Path, delivery: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, build = snapshot(registry), add._build

    def changing(copies: add.Copies) -> None:
        write_image(delivery / "img_dir/train/a.jpg", seed=4711)
        build(copies)

    monkeypatch.setattr(add, "_build", changing)
    outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "img_dir.dvc: records other files than were checked" in outcome.err
    assert snapshot(registry) == before


def test_files_that_dvc_ignores_are_not_lost_in_silence(
    registry: Path, delivery: Path, sceneset: Run
) -> None:
    (registry / ".dvcignore").write_text("*.jpg\n")
    before = snapshot(registry)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 1
    assert snapshot(registry) == before


def test_a_params_file_that_can_not_be_extended_is_left_alone(
    registry: Path, delivery: Path, sceneset: Run
) -> None:
    (registry / "params.yaml").write_text("{algorithms: {scan: 1}, subsets: []}\n")
    before = snapshot(registry)
    outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "write one line '  - <name>' a subset" in outcome.err
    assert snapshot(registry) == before


@pytest.mark.parametrize(
    "folder", ["../delivery/split_dir", "registry/tags", "Insta360SemanticSeg/left"]
)
def test_a_list_is_not_written_where_it_does_harm(
    folder: str, registry: Path, delivery: Path, sceneset: Run
) -> None:
    before = snapshot(registry), snapshot(delivery)
    outcome = sceneset("add", delivery, "--name", NAME, "--quarantine", folder, cwd=registry)
    assert outcome.code == 2
    assert (snapshot(registry), snapshot(delivery)) == before


def test_a_list_replaces_no_file_but_its_own(
    registry: Path, delivery: Path, sceneset: Run, tmp_path: Path
) -> None:
    left = tmp_path / "left"
    left.mkdir()
    mine = left / f"{NAME}.csv"
    mine.write_text("mine\n")
    (delivery / "ann_dir/train/a.png").unlink()
    words = ("add", delivery, "--name", NAME, "--quarantine", left)
    assert sceneset(*words, cwd=registry).code == 2
    assert mine.read_text() == "mine\n"
    mine.unlink()
    assert sceneset(*words, cwd=registry).code == 0
    assert "mask-missing" in mine.read_text()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(("--name", "ski"), "subset-name", id="a name that is none"),
        pytest.param(("--name", NAME), "subset-exists", id="a name that is taken"),
    ],
)
def test_json_is_printed_for_early_refusals_too(
    words: tuple[str, ...], code: str, added: Path, delivery: Path, sceneset: Run
) -> None:
    outcome = sceneset("add", delivery, *words, "--json", cwd=added)
    assert outcome.code == 1
    assert outcome.json["taken"] is False
    assert [p["code"] for p in outcome.json["problems"]] == [code]


def test_what_people_made_of_a_cut_off_add_is_not_deleted(
    added: Path, delivery: Path, sceneset: Run, tmp_path: Path
) -> None:
    # A subset that is committed, but not listed, with the journal of an add that died.
    (added / "params.yaml").write_text("subsets: []\n")
    git(added, "commit", "--quiet", "--all", "--message", "Unlisted")
    journal = added / ".sceneset/adding" / NAME
    journal.mkdir(parents=True)
    (journal / "placed").touch()
    before = snapshot(added)
    other = shutil.copytree(delivery, tmp_path / "other")
    outcome = sceneset("add", other, "--name", NAME.replace("web", "other"), cwd=added)
    assert outcome.code == 1
    assert "git rm" in outcome.err
    assert snapshot(added) == before


def test_a_wrong_folder_is_told_as_that_alone(registry: Path, sceneset: Run) -> None:
    outcome = sceneset("add", registry, "--name", NAME, "--json", cwd=registry)
    assert {p["code"] for p in outcome.json["problems"]} == {"layout"}


@pytest.mark.parametrize("url", ["", " "])
def test_a_remote_needs_a_url(url: str, registry: Path, sceneset: Run) -> None:
    assert sceneset("remote", url, cwd=registry).code == 2


def test_a_remote_s_folder_is_meant_from_here(registry: Path, sceneset: Run) -> None:
    assert sceneset("remote", "../../store", cwd=registry / "registry").code == 0
    config = (registry / ".dvc/config").read_text()
    assert f"url = {registry.parent / 'store'}" in config
    assert sceneset("remote", "/elsewhere", cwd=registry).code == 1, "it has one already"
    assert sceneset("remote", "/elsewhere", "--force", cwd=registry).code == 0


def test_a_scan_of_other_bytes_than_registered_is_found(added: Path, sceneset: Run) -> None:
    dvc_file = added / f"Insta360SemanticSeg/{NAME}/img_dir.dvc"
    text = dvc_file.read_text()
    digest = text.split("md5: ")[1][:32]
    dvc_file.write_text(text.replace(digest, digest[::-1]))
    outcome = sceneset("check", cwd=added)
    assert outcome.code == 1
    assert "records other files than were scanned" in outcome.out
