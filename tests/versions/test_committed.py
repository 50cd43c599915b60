"""A release compares the files of the state with the commit by content: nothing can be hidden."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.build import NAME, Outcome, Run, git, make_delivery, restore_older_gitignore

TAGS = f"registry/tags/{NAME}.csv"


def refused(outcome: Outcome, *words: str) -> None:
    assert outcome.code == 1, outcome.err
    assert "[release-dirty]" in outcome.err
    for word in words:
        assert word in outcome.err


def change(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace("single", "multi"), "utf-8")


def assume_unchanged(root: Path) -> None:
    git(root, "update-index", "--assume-unchanged", TAGS)
    change(root / TAGS)


def skip_worktree(root: Path) -> None:
    git(root, "update-index", "--skip-worktree", TAGS)
    change(root / TAGS)


def sparse_checkout(root: Path) -> None:
    git(root, "update-index", "--refresh")  # the fixture is a copy
    git(root, "sparse-checkout", "set", "--no-cone", "/*", f"!/{TAGS}")
    assert not (root / TAGS).exists()


@pytest.mark.parametrize(
    ("hide", "reason"),
    [
        (assume_unchanged, "assume-unchanged"),
        (skip_worktree, "skip-worktree"),
        (sparse_checkout, "sparse checkout"),
    ],
)
def test_release_fails_when_git_was_told_not_to_show_a_change(
    hide: Callable[[Path], None], reason: str, ready: Path, sceneset: Run
) -> None:
    hide(ready)
    assert git(ready, "status", "--porcelain") == "", "git shows nothing"
    refused(sceneset("release", "1.0.0", "--all", cwd=ready), TAGS, reason)


@pytest.fixture
def ignoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user-level ignore file; return its path."""
    ignore, config = tmp_path / "my ignores", tmp_path / "gitconfig"
    ignore.write_text("# tables of other projects\n*.csv\n")
    config.write_text(f'[core]\n\texcludesFile = "{ignore}"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    return ignore


def test_release_fails_when_a_user_level_ignore_file_kept_tags_out_of_the_commit(
    ready: Path, ignoring: Path, sceneset: Run
) -> None:
    restore_older_gitignore(ready)
    git(ready, "rm", "--quiet", "--cached", TAGS)
    git(ready, "commit", "--quiet", "--message", "As `git add .` would have done it")
    assert git(ready, "status", "--porcelain") == "", "git shows nothing"
    refused(sceneset("release", "1.0.0", "--all", cwd=ready), TAGS, f"{ignoring}:2", "*.csv")


def test_release_fails_when_untracked_files_are_not_shown(ready: Path, sceneset: Run) -> None:
    git(ready, "config", "status.showUntrackedFiles", "no")
    (ready / "registry/subsets/other.yaml").write_text("name: other\n")
    assert git(ready, "status", "--porcelain") == ""
    refused(sceneset("release", "1.0.0", "--all", cwd=ready), "registry/subsets/other.yaml")


def test_release_fails_when_git_converts_line_ends(ready: Path, sceneset: Run) -> None:
    (ready / ".gitattributes").write_text("*.csv text eol=lf\n")
    git(ready, "add", ".gitattributes")
    git(ready, "commit", "--quiet", "--message", "Attributes")
    tags = ready / TAGS
    tags.write_bytes(tags.read_bytes().replace(b"\n", b"\r\n"))
    git(ready, "add", TAGS)
    refused(sceneset("release", "1.0.0", "--all", cwd=ready), TAGS, "* -text")


def test_release_names_every_kind_of_file_of_a_state_that_is_not_committed(
    ready: Path, sceneset: Run
) -> None:
    names = [
        *("params.yaml", "dvc.yaml", "dvc.lock", ".dvc/config", "registry/manifest.json"),
        *("registry/forgotten.yaml", "registry/waivers.yaml", "registry/reports/check.json"),
        *(f"registry/scans/{NAME}.parquet", f"registry/stats/{NAME}.yaml", TAGS),
        *(f"registry/subsets/{NAME}.yaml", f"registry/cards/{NAME}.en.md"),
        *(f"Insta360SemanticSeg/{NAME}/{name}" for name in ("img_dir.dvc", "split_dir/ski.txt")),
    ]
    restore_older_gitignore(ready)
    git(ready, "rm", "-r", "--quiet", "--cached", *names)
    git(ready, "commit", "--quiet", "--message", "Leave files out")
    (ready / ".git/info/exclude").write_text("".join(f"/{name}\n" for name in names))
    assert git(ready, "status", "--porcelain") == ""
    refused(sceneset("release", "1.0.0", "--all", cwd=ready), *names)


def test_release_ignores_files_that_do_not_belong_to_a_state(ready: Path, sceneset: Run) -> None:
    (ready / ".git/info/exclude").write_text(".DS_Store\n")
    for name in ("registry/tags/.DS_Store", "registry/subsets/.DS_Store"):
        (ready / name).write_text("mine")
    outcome = sceneset("release", "1.0.0", cwd=ready)
    assert outcome.code == 0, outcome.err


def test_check_reports_files_that_git_ignores_and_does_not_track(
    ready: Path, ignoring: Path, sceneset: Run
) -> None:
    restore_older_gitignore(ready)
    assert sceneset("check", "--json", cwd=ready).json == [], "the tags are tracked"
    git(ready, "rm", "--quiet", "--cached", TAGS)
    [found] = sceneset("check", "--json", cwd=ready).json
    assert (found["code"], found["file"], found["severity"]) == ("git-ignored", TAGS, "warning")
    assert f"{ignoring}:2" in found["message"]
    assert sceneset("check", "--rev", "HEAD", "--json", cwd=ready).json == []


def test_add_reports_files_that_git_would_ignore(
    registry: Path, ignoring: Path, tmp_path: Path, sceneset: Run
) -> None:
    restore_older_gitignore(registry)
    delivery = make_delivery(tmp_path / "delivery")
    words = ("add", delivery, "--name", NAME, "--dry-run", "--json")
    found = sceneset(*words, cwd=registry).json["problems"]
    assert [(p["code"], p["file"]) for p in found] == [("git-ignored", TAGS)]
    assert f"{ignoring}:2" in found[0]["message"]


def test_release_signs_its_commit_when_git_is_configured_so(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    program = tmp_path / "gpg"
    program.write_text(
        "#!/bin/sh\ncat > /dev/null\n"
        "echo '[GNUPG:] SIG_CREATED D 1 8 00 1 ABC' >&2\n"
        "echo '-----BEGIN PGP SIGNATURE-----'\necho test\necho '-----END PGP SIGNATURE-----'\n"
    )
    program.chmod(0o755)
    for option, value in (("gpg.program", str(program)), ("commit.gpgSign", "true")):
        git(ready, "config", option, value)
    git(ready, "config", "tag.gpgSign", "yes")
    outcome = sceneset("release", "1.0.0", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert "gpgsig -----BEGIN PGP SIGNATURE-----" in git(ready, "cat-file", "commit", "HEAD")
    assert "tag is not signed" in outcome.err


def test_release_changes_nothing_when_the_commit_can_not_be_signed(
    ready: Path, sceneset: Run
) -> None:
    git(ready, "config", "gpg.program", "false")
    git(ready, "config", "commit.gpgSign", "true")
    before = git(ready, "for-each-ref")
    outcome = sceneset("release", "1.0.0", cwd=ready)
    assert (outcome.code, "sign" in outcome.err) == (1, True)
    assert git(ready, "for-each-ref") == before


def test_release_reports_a_failing_dvc_status_as_its_own_error(ready: Path, sceneset: Run) -> None:
    git(ready, "config", "user.name", "n")
    config = ready / ".dvc/config.local"
    config.write_text("[nonsense\n")
    outcome = sceneset("release", "1.0.0", cwd=ready)
    assert outcome.code == 1
    assert "out of date" not in outcome.err
    assert "config" in outcome.err
