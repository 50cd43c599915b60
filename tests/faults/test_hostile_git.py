"""Git connects and signs with no program of a repository's own configuration.

Each test also runs git alone, which must run what is planted: otherwise the test could not fail.
"""

import os
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from sceneset.edits.merge_driver import install_driver
from sceneset.storage.git import git as run
from sceneset.storage.git import run_git
from support.build import git
from support.servers import Listener


@pytest.fixture
def server() -> Iterator[Listener]:
    """A git server that asks for a password."""
    with Listener(401, {"WWW-Authenticate": 'Basic realm="git"'}) as found:
        yield found


def basic(user: str) -> str:
    """Return what git sends for a user whose password is "secret"."""
    return f"Basic {b64encode(f'{user}:secret'.encode()).decode()}"


def program(folder: Path, name: str, output: str = "") -> str:
    """Write a program that leaves a mark in ``folder``, and return its path."""
    path = folder / f"run-{name}"
    path.write_text(f"#!/bin/sh\ntouch {folder / name}\nprintf '{output}'\n")
    path.chmod(0o755)
    return str(path)


def helper_of(folder: Path, user: str) -> str:
    """Write a credential helper that knows a password for every server."""
    return program(folder, user, f"username={user}\\npassword=secret\\n")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, and a user with a credential helper of their own."""
    (tmp_path / "gitconfig").write_text(
        f'[credential]\n\thelper = "!{helper_of(tmp_path, "user")}"\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    tree = tmp_path / "tree"
    git(tmp_path, "init", "--quiet", str(tree))
    return tree


def fetch_plainly(tree: Path) -> None:
    """Fetch with git alone: what a test plants must work, or the test can't fail."""
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    subprocess.run(["git", "fetch", "origin"], cwd=tree, env=env, capture_output=True, check=False)


def test_fetch_uses_the_users_credential_helper_and_none_of_the_repository(
    tree: Path, server: Listener, tmp_path: Path
) -> None:
    git(tree, "remote", "add", "origin", f"{server.url}/people.git")
    git(tree, "config", "credential.helper", "")  # forget the user's
    git(tree, "config", "--add", f"credential.{server.url}.helper", helper_of(tmp_path, "evil"))
    git(tree, "config", "core.askPass", program(tmp_path, "askpass", "x"))
    done = run_git(tree, "fetch", "origin")
    assert b"does not obey core.askpass, credential.http://127.0.0.1" in done.stderr
    assert server.received(basic("user"))
    assert not server.received(basic("evil"))
    assert not {"evil", "askpass"} & {path.name for path in tmp_path.iterdir()}
    fetch_plainly(tree)
    assert server.received(basic("evil"))


@pytest.mark.parametrize(
    "option", ["http.proxy", "http.http://git.invalid/.proxy", "remote.origin.proxy"]
)
def test_proxy_of_the_repository_receives_no_credential(
    option: str, tree: Path, server: Listener
) -> None:
    git(tree, "remote", "add", "origin", "http://git.invalid/people.git")
    git(tree, "config", option, server.url)
    done = run_git(tree, "fetch", "origin")
    assert option.encode() in done.stderr
    assert b"git config --global" in done.stderr
    assert server.requests == []
    fetch_plainly(tree)
    assert server.received(basic("user")), (
        "git alone gives the proxy the password of another server"
    )


@pytest.mark.parametrize(
    ("option", "url"),
    [
        ("core.sshCommand", "ssh://127.0.0.1:1/people"),
        ("core.gitProxy", "git://127.0.0.1:1/people"),
        ("remote.origin.uploadpack", "{tree}"),
        ("core.alternateRefsCommand", "{tree}"),
        ("include.path", "ssh://127.0.0.1:1/people"),
    ],
)
@pytest.mark.parametrize("kind", ["fetch", "partial clone"])
def test_no_program_of_the_configuration_runs_when_git_connects(
    kind: str, option: str, url: str, tree: Path, tmp_path: Path
) -> None:
    git(tree, "commit", "--quiet", "--allow-empty", "--message", "x")
    git(tree, "remote", "add", "origin", url.format(tree=tree))
    planted = program(tmp_path, "ran")
    if option == "include.path":
        (tmp_path / "included").write_text(f"[core]\n\tsshCommand = {planted}\n")
        planted = str(tmp_path / "included")
    git(tree, "config", option, planted)
    (tree / ".git/objects/info").mkdir(exist_ok=True)
    git(tmp_path, "init", "--quiet", "--bare", "other.git")
    (tree / ".git/objects/info/alternates").write_text(f"{tmp_path}/other.git/objects\n")
    words = ["fetch", "--quiet", "origin"]
    if kind == "partial clone":
        git(tree, "config", "remote.origin.promisor", "true")
        words = ["cat-file", "-p", "1" * 40]
    run_git(tree, *words)
    assert not (tmp_path / "ran").exists()
    subprocess.run(["git", *words], cwd=tree, capture_output=True, check=False)
    assert (tmp_path / "ran").exists(), "git alone runs it"


def test_submodules_are_not_fetched_with_their_own_configuration(
    tree: Path, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    git(tmp_path, "init", "--quiet", str(inner))
    git(inner, "commit", "--quiet", "--allow-empty", "--message", "x")
    git(tree, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "sub")
    git(tree, "commit", "--quiet", "--message", "x")
    git(tree / "sub", "config", "remote.origin.url", "ssh://127.0.0.1:1/people")
    git(tree / "sub", "config", "core.sshCommand", program(tmp_path, "ran"))
    git(tree, "config", "fetch.recurseSubmodules", "true")
    git(tree, "remote", "add", "origin", str(tree))
    run(tree, "fetch", "--quiet", "--tags", "origin")
    assert not (tmp_path / "ran").exists()
    fetch_plainly(tree)
    assert (tmp_path / "ran").exists()


def test_signing_runs_no_program_of_the_repository(tree: Path) -> None:
    git(tree, "commit", "--quiet", "--allow-empty", "--message", "x")
    git(tree, "config", "gpg.program", program(tree, "ran"))
    words = ("commit-tree", "HEAD^{tree}", "-m", "x", "-S")
    done = run_git(tree, *words)
    assert b"does not obey gpg.program of .git/config" in done.stderr
    assert not (tree / "ran").exists()
    subprocess.run(["git", *words], cwd=tree, capture_output=True, check=False)
    assert (tree / "ran").exists()


def test_configuration_is_read_again_when_it_has_changed(tree: Path, tmp_path: Path) -> None:
    git(tree, "remote", "add", "origin", "ssh://127.0.0.1:1/people")
    run_git(tree, "fetch", "origin")
    git(tree, "config", "core.sshCommand", program(tmp_path, "ran"))
    run_git(tree, "fetch", "origin")
    assert not (tmp_path / "ran").exists()


def test_git_starts_no_maintenance_which_can_run_programs(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tree, "commit", "--quiet", "--allow-empty", "--message", "x")
    git(tree, "remote", "add", "origin", str(tree))
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    run(tree, "fetch", "--quiet", "origin")
    assert "upload-pack" in trace.read_text()
    assert "git maintenance run" not in trace.read_text()
    fetch_plainly(tree)
    assert "git maintenance run" in trace.read_text()


def test_merge_driver_runs_no_command_in_the_name_of_a_file(tree: Path, tmp_path: Path) -> None:
    """The names of files come with a repository; git runs the driver by a shell."""
    (tree / ".gitattributes").write_text("*.txt merge=sceneset\n")
    path = tree / "$(touch ran) 'b.txt"
    for branch in ("base", "ours", "theirs"):
        start = [] if branch == "base" else ["base"]
        git(tree, "checkout", "--quiet", "-b", branch, *start)
        path.write_text(f"{branch}\n")
        git(tree, "add", "--all")
        git(tree, "commit", "--quiet", "--message", branch)

    def merged_with(driver: str) -> bool:
        git(tree, "config", "merge.sceneset.driver", driver)
        git(tree, "reset", "--quiet", "--hard", "theirs")
        subprocess.run(["git", "merge", "ours"], cwd=tree, capture_output=True, check=False)
        return (tree / "ran").exists()

    install_driver(tree)
    driver = run(tree, "config", "merge.sceneset.driver").strip()
    assert not merged_with(driver)
    assert merged_with(driver.replace("%P", '"%P"')), "what is planted works"
