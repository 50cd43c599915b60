"""`sceneset add`: what it refuses besides bad deliveries, and what it verifies after `dvc add`."""

import shutil
from pathlib import Path

import pytest

from sceneset.edits import ingest
from sceneset.paths import Paths
from sceneset.storage.transaction import Command
from sceneset.storage.transaction_record import Record, write_record
from support.build import NAME, Run, git, snapshot, write_image


def test_add_changes_nothing_when_the_delivery_changes_after_the_check(
    registry: Path, delivery: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, copy_files = snapshot(registry), ingest._copy_files

    def change_and_copy(copies: ingest.Copies, folder: Path) -> None:
        write_image(delivery / "img_dir/train/a.jpg", seed=4711)
        copy_files(copies, folder)

    monkeypatch.setattr(ingest, "_copy_files", change_and_copy)
    outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "img_dir.dvc: records other files than were checked" in outcome.err
    assert snapshot(registry) == before


def test_add_changes_nothing_when_dvc_ignores_files(
    registry: Path, delivery: Path, sceneset: Run
) -> None:
    (registry / ".dvcignore").write_text("*.jpg\n")
    before = snapshot(registry)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 1
    assert snapshot(registry) == before


def test_add_changes_nothing_when_params_yaml_can_not_be_extended(
    registry: Path, delivery: Path, sceneset: Run
) -> None:
    (registry / "params.yaml").write_text("{algorithms: {scan: 1}, subsets: []}\n")
    before = snapshot(registry)
    outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "write one line '  - <name>' per subset" in outcome.err
    assert snapshot(registry) == before


@pytest.mark.parametrize(
    "folder", ["../delivery/split_dir", "registry/tags", "Insta360SemanticSeg/left"]
)
def test_add_refuses_a_quarantine_inside_the_delivery_or_the_registry(
    folder: str, registry: Path, delivery: Path, sceneset: Run
) -> None:
    before = snapshot(registry), snapshot(delivery)
    outcome = sceneset("add", delivery, "--name", NAME, "--quarantine", folder, cwd=registry)
    assert outcome.code == 2
    assert (snapshot(registry), snapshot(delivery)) == before


def test_add_refuses_a_quarantine_when_its_list_would_replace_another_file(
    registry: Path, delivery: Path, sceneset: Run, tmp_path: Path
) -> None:
    quarantine = tmp_path / "quarantine"
    quarantine.mkdir()
    mine = quarantine / f"{NAME}.csv"
    mine.write_text("mine\n")
    (delivery / "ann_dir/train/a.png").unlink()
    words = ("add", delivery, "--name", NAME, "--quarantine", quarantine)
    assert sceneset(*words, cwd=registry).code == 2
    assert mine.read_text() == "mine\n"
    mine.unlink()
    assert sceneset(*words, cwd=registry).code == 0
    assert "mask-missing" in mine.read_text()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(("--name", "ski"), "subset-name", id="invalid name"),
        pytest.param(("--name", NAME), "subset-exists", id="taken name"),
    ],
)
def test_add_prints_json_when_it_refuses_early(
    words: tuple[str, ...], code: str, added: Path, delivery: Path, sceneset: Run
) -> None:
    outcome = sceneset("add", delivery, *words, "--json", cwd=added)
    assert outcome.code == 1
    assert outcome.json["taken"] is False
    assert [p["code"] for p in outcome.json["problems"]] == [code]


def test_add_deletes_nothing_when_the_folder_of_an_interrupted_add_is_committed(
    added: Path, delivery: Path, sceneset: Run, tmp_path: Path
) -> None:
    # A subset that is committed, but not listed, with the record of an interrupted add.
    (added / "params.yaml").write_text("subsets: []\n")
    git(added, "commit", "--quiet", "--all", "--message", "Unlisted")
    command = Command.of("add", subset=NAME)
    write_record(Paths(added), Record(command=command, folders=(f"Insta360SemanticSeg/{NAME}",)))
    before = snapshot(added)
    other = shutil.copytree(delivery, tmp_path / "other")
    outcome = sceneset("add", other, "--name", NAME.replace("web", "other"), cwd=added)
    assert outcome.code == 1
    assert "git rm" in outcome.err
    assert snapshot(added) == before


def test_add_reports_only_the_layout_when_the_folder_is_not_a_delivery(
    registry: Path, sceneset: Run
) -> None:
    outcome = sceneset("add", registry, "--name", NAME, "--json", cwd=registry)
    assert {p["code"] for p in outcome.json["problems"]} == {"layout"}


@pytest.mark.parametrize("url", ["", " "])
def test_remote_is_refused_when_the_url_is_empty(url: str, registry: Path, sceneset: Run) -> None:
    assert sceneset("remote", url, cwd=registry).code == 2


def test_remote_resolves_a_folder_against_the_current_folder(registry: Path, sceneset: Run) -> None:
    assert sceneset("remote", "../../store", cwd=registry / "registry").code == 0
    config = (registry / ".dvc/config").read_text()
    assert f"url = {registry.parent / 'store'}" in config
    assert sceneset("remote", "/elsewhere", cwd=registry).code == 1, "there is a remote already"
    assert sceneset("remote", "/elsewhere", "--force", cwd=registry).code == 0


def test_check_reports_a_dvc_file_that_records_other_files_than_were_scanned(
    added: Path, sceneset: Run
) -> None:
    dvc_file = added / f"Insta360SemanticSeg/{NAME}/img_dir.dvc"
    text = dvc_file.read_text()
    digest = text.split("md5: ")[1][:32]
    dvc_file.write_text(text.replace(digest, digest[::-1]))
    outcome = sceneset("check", cwd=added)
    assert outcome.code == 1
    assert "records other files than were scanned" in outcome.out
