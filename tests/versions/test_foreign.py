"""Remotes of other people's repositories get no credentials before the user trusts them."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sceneset import Registry
from sceneset.errors import UntrustedRemoteError
from support.build import NAME, Run, dvc, git, snapshot
from support.servers import SECRETS, Listener


def set_remote(root: Path, url: str, *lines: str, core: str = "") -> str:
    """Commit a .dvc/config with one remote, and return the URL of the repository."""
    options = "".join(f"    {line}\n" for line in (f"url = {url}", *lines))
    (root / ".dvc/config").write_text(
        f"[core]\n    remote = store\n{core}['remote \"store\"']\n{options}"
    )
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "A remote")
    return f"file://{root}"


def commands(url: str, to: Path) -> list[tuple[Any, ...]]:
    return [("pull", "ski", "--repo", url, "--to", to), ("verify", "--repo", url)]


def test_no_request_reaches_a_remote_that_is_not_trusted(
    added: Path, listener: Listener, tmp_path: Path, sceneset: Run
) -> None:
    url = set_remote(added, "s3://bucket/people", f"endpointurl = {listener.url}")
    before = snapshot(tmp_path)
    for words in commands(url, tmp_path / "out"):
        outcome = sceneset(*words, cwd=tmp_path)
        assert outcome.code == 2, outcome.err
        for part in (url, "s3://bucket/people", listener.url, "bucket bucket on 127.0.0.1"):
            assert part in outcome.err
        assert f"sceneset trust {url} --remote store" in outcome.err
    with pytest.raises(UntrustedRemoteError):
        Registry.open(url).pull("ski", to=tmp_path / "out")
    assert listener.requests == []
    assert snapshot(tmp_path) == before


def test_trusted_remote_gets_the_users_credentials_until_it_moves(
    added: Path, listener: Listener, tmp_path: Path, sceneset: Run
) -> None:
    url = set_remote(added, "s3://bucket/people", f"endpointurl = {listener.url}")
    outcome = sceneset("trust", url, cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert f"s3://bucket/people at {listener.url}" in outcome.err
    assert listener.requests == [], "`trust` sends nothing"
    assert sceneset("pull", "ski", "--repo", url, "--to", tmp_path / "out", cwd=tmp_path).code == 1
    assert listener.received(SECRETS[0]), "the requests are signed"
    count = len(listener.requests)
    for moved in (
        ("s3://other/people", f"endpointurl = {listener.url}"),
        ("s3://bucket/people", f"endpointurl = {listener.url.replace('127.0.0.1', 'localhost')}"),
    ):
        set_remote(added, *moved)
        for words in commands(url, tmp_path / "other"):
            assert sceneset(*words, cwd=tmp_path).code == 2
    assert len(listener.requests) == count
    assert sceneset("trust", "--remove", url, cwd=tmp_path).code == 0
    set_remote(added, "s3://bucket/people", f"endpointurl = {listener.url}")
    assert sceneset("verify", "--repo", url, cwd=tmp_path).code == 2
    assert len(listener.requests) == count


@pytest.mark.parametrize("kind", ["s3", "http"])
def test_remote_without_credentials_is_read_without_trust(
    kind: str, added: Path, listener: Listener, tmp_path: Path, sceneset: Run
) -> None:
    if kind == "s3":
        lines = (f"endpointurl = {listener.url}", "allow_anonymous_login = true")
        url = set_remote(added, "s3://bucket/people", *lines)
    else:
        url = set_remote(added, f"{listener.url}/people")
    outcome = sceneset("pull", "ski", "--repo", url, "--to", tmp_path / "out", cwd=tmp_path)
    assert outcome.code == 1
    assert "the remote has no blob" in outcome.err
    assert listener.requests
    assert not any(map(listener.received, (*SECRETS, "uthorization", "ookie")))


def test_http_remote_needs_trust_when_netrc_has_credentials_for_its_host(
    added: Path,
    listener: Listener,
    tmp_path: Path,
    sceneset: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "netrc").write_text("default login me password hunter2\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    url = set_remote(added, f"{listener.url}/people")
    for words in commands(url, tmp_path / "out"):
        assert sceneset(*words, cwd=tmp_path).code == 2
    assert listener.requests == []


def test_configuration_of_a_foreign_repository_runs_no_program(
    added: Path, listener: Listener, tmp_path: Path, sceneset: Run
) -> None:
    marker = tmp_path / "marker"
    keys = '{"Version": 1, "AccessKeyId": "evil-key", "SecretAccessKey": "x"}'
    (added / "registry/run.sh").write_text(f"#!/bin/sh\ntouch {marker}\necho '{keys}'\n")
    (added / "registry/run.sh").chmod(0o755)
    for program in (f"sh -c 'touch {marker}'", str(added / "registry/run.sh")):
        (added / "registry/aws.cfg").write_text(f"[profile evil]\ncredential_process = {program}\n")
        lines = ("configpath = ../registry/aws.cfg", "profile = evil", "verify = true")
        lines = (f"endpointurl = {listener.url}", *lines)
        core = "    site_cache_dir = registry/pickles\n"
        url = set_remote(added, "s3://bucket/people", *lines, core=core)
        (added / ".dvc/config.local").write_text("[core]\n    site_cache_dir = registry/pickles\n")
        git(added, "add", "--force", ".dvc/config.local")
        git(added, "commit", "--quiet", "--allow-empty", "--message", "Local settings")
        for trusted in (False, True):
            if trusted:
                assert sceneset("trust", url, cwd=tmp_path).code == 0
            for words in commands(url, tmp_path / "out"):
                outcome = sceneset(*words, cwd=tmp_path)
                assert outcome.code == (1 if trusted else 2), outcome.err
                ignored = "core.site_cache_dir, remote.store.configpath, remote.store.profile"
                assert ignored in outcome.err
            sceneset("trust", "--remove", url, cwd=tmp_path) if trusted else None
    assert listener.received(SECRETS[0])
    assert not listener.received("evil-key")
    assert not marker.exists()
    cache = Path(os.environ["SCENESET_CACHE_DIR"])
    assert not list(cache.rglob("pickles"))
    configs = [path.read_text() for path in cache.glob("projects/*/.dvc/config*")]
    assert configs
    assert not any("configpath" in text or "site_cache_dir" in text for text in configs)


@pytest.mark.parametrize(
    "remote", ["/etc", "/home", "{tmp}/secret", "file://{tmp}/secret", "../../../../secret", "~"]
)
def test_folder_outside_of_a_foreign_repository_needs_trust(
    remote: str, ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    url = set_remote(ready, remote.format(tmp=tmp_path))
    (tmp_path / "secret").mkdir()
    for words in commands(url, tmp_path / "out"):
        outcome = sceneset(*words, cwd=tmp_path)
        assert outcome.code == 2, outcome.err
        assert "of this machine" in outcome.err
        assert f"sceneset trust {url}" in outcome.err


def test_store_on_this_machine_needs_trust_when_the_repository_is_elsewhere(
    ready: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = set_remote(ready, str(ready.parent / "store"))
    assert sceneset("verify", "--repo", near, cwd=tmp_path).code == 0, "both are on this machine"
    far = "https://example.com/people.git"
    settings = {f"url.{near}.insteadOf": far, "protocol.file.allow": "always"}
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(settings)))
    for number, (key, value) in enumerate(settings.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    for words in commands(far, tmp_path / "out"):
        assert sceneset(*words, cwd=tmp_path).code == 2
    assert sceneset("trust", far, cwd=tmp_path).code == 0
    for words in commands(far, tmp_path / "out"):
        assert sceneset(*words, cwd=tmp_path).code == 0


def test_remote_inside_of_the_repository_needs_no_trust(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    url = set_remote(added, "../demo/remote")
    dvc(added, "push")
    git(added, "add", "--force", "demo")
    git(added, "commit", "--quiet", "--message", "Blobs")
    outcome = sceneset("pull", "ski", "--repo", url, "--to", tmp_path / "out", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "out" / NAME / "img_dir/train/a.jpg").is_file()
    outcome = sceneset("trust", url, cwd=tmp_path)
    assert (outcome.code, "needs no trust" in outcome.err) == (2, True)


def test_link_in_a_foreign_repository_leads_to_no_folder_of_this_machine(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    (ready / "inside").symlink_to(ready.parent / "store")
    url = set_remote(ready, "../inside")
    outcome = sceneset("pull", "ski", "--repo", url, "--to", tmp_path / "out", cwd=tmp_path)
    assert outcome.code != 0
    assert not (tmp_path / "out").exists()


def test_trust_lists_and_removes(added: Path, tmp_path: Path, sceneset: Run) -> None:
    url = set_remote(added, "s3://bucket/people", "endpointurl = https://store.example")
    assert sceneset("trust", "--list", "--json", cwd=tmp_path).json == []
    for _ in range(2):
        assert sceneset("trust", url, cwd=tmp_path).code == 0
    [listed] = sceneset("trust", "--list", "--json", cwd=tmp_path).json
    assert listed.pop("since")
    assert listed == {
        "repository": url,
        "remote": "s3://bucket/people",
        "endpoint": "https://store.example",
    }
    assert "bucket bucket on store.example" in sceneset("trust", "--list", cwd=tmp_path).out
    file = Path(os.environ["SCENESET_CONFIG_DIR"]) / "trusted.json"
    assert file.stat().st_mode & 0o077 == 0
    assert sceneset("trust", "--remove", url, cwd=tmp_path).code == 0
    assert sceneset("trust", "--remove", url, cwd=tmp_path).code == 2
    assert sceneset("trust", cwd=tmp_path).code == 2
    assert sceneset("trust", str(added), cwd=tmp_path).code == 2
    file.write_text("{")
    outcome = sceneset("trust", "--list", cwd=tmp_path)
    assert (outcome.code, "is damaged" in outcome.err) == (2, True)


def test_pull_asks_once_on_a_terminal(added: Path, listener: Listener, tmp_path: Path) -> None:
    url = set_remote(added, "s3://bucket/people", f"endpointurl = {listener.url}")
    command = [sys.executable, "-m", "sceneset", "pull", "ski", "--repo", url]
    command += ["--to", str(tmp_path / "out")]

    def answer(text: str) -> tuple[int, str]:
        leader, terminal = pty.openpty()
        process = subprocess.Popen(
            command, cwd=tmp_path, stdin=terminal, stdout=subprocess.DEVNULL, stderr=terminal
        )
        os.close(terminal)
        os.write(leader, text.encode())
        shown = b""
        try:
            while data := os.read(leader, 4096):
                shown += data
        except OSError:  # the other end is closed
            pass
        os.close(leader)
        return process.wait(), shown.decode()

    code, shown = answer("n\n")
    assert code == 2
    assert "bucket bucket on 127.0.0.1" in shown
    assert listener.requests == []
    code, shown = answer("y\n")
    assert (code, "[y/N]" in shown) == (1, True)
    assert listener.received(SECRETS[0])
    code, shown = answer("")
    assert (code, "[y/N]" in shown) == (1, False)
    saved = json.loads((Path(os.environ["SCENESET_CONFIG_DIR"]) / "trusted.json").read_text())
    assert len(saved["trusted"]) == 1


def test_folder_of_the_user_is_read_with_its_own_configuration(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    words = ("pull", "ski", "--repo", ready, "--rev", "HEAD", "--to", tmp_path / "out")
    assert sceneset(*words, cwd=tmp_path).code == 0


def test_a_folder_that_needs_no_trust_is_named_as_the_user_wrote_it(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    outcome = sceneset("trust", ready, cwd=tmp_path)
    assert outcome.code == 2
    assert outcome.err.startswith(f"sceneset: {ready} is a folder of this machine")
