"""Tags of versions are signed by the user, and verified with the keys that the user trusts."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sceneset.versions.resolve import ARTIFACT
from support.build import Outcome, Run, git

TAG = f"{ARTIFACT}@v1.0.0"
SignIn = Callable[[Path], None]
pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is missing")


def new_key(folder: Path, name: str) -> Path:
    """Create an SSH key and return its public half."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return folder / f"{name}.pub"


class User:
    """A user with an SSH key, git settings of their own, and a list of the keys they trust."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        home.mkdir()
        self.key, self.other = new_key(home, "mine"), new_key(home, "other")
        self.signers = home / "signers"
        self.settings = home / "gitconfig"
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(self.settings))
        self.set("gpg.format", "ssh")
        self.set("user.signingKey", str(self.key))
        self.set("gpg.ssh.allowedSignersFile", str(self.signers))
        self.trust(self.key)

    def set(self, option: str, value: str) -> None:
        git(self.settings.parent, "config", "--file", str(self.settings), option, value)

    def trust(self, key: Path) -> None:
        self.signers.write_text(f'ann@example.com namespaces="git" {key.read_text()}')


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    return User(tmp_path / "user", monkeypatch)


def refused(outcome: Outcome) -> str:
    assert outcome.code == 1, outcome.err
    [found] = outcome.json
    assert (found["code"], found["file"]) == ("version-signature", "registry/versions/1.0.0.yaml")
    return str(found["message"])


def test_a_signed_release_is_verified_in_a_working_tree_and_by_url(
    ready: Path, tmp_path: Path, user: User, sceneset: Run
) -> None:
    outcome = sceneset("release", "1.0.0", "--sign", cwd=ready)
    assert outcome.code == 0, outcome.err
    git(ready, "verify-tag", TAG)
    assert git(ready, "rev-parse", f"{TAG}^{{commit}}") == git(ready, "rev-parse", "HEAD")
    [record] = sceneset("versions", "--json", cwd=ready).json
    assert (record["tag"], record["signed"]) == (TAG, True)
    assert record["made_by"]["command"] == "sceneset release 1.0.0 --sign"
    for words in ((), ("--rev", "1.0.0"), ("--rev", "latest"), ("--rev", TAG)):
        outcome = sceneset("verify", "--signed", *words, cwd=ready)
        assert outcome.code == 0, outcome.err
        assert "version 1.0.0 has a valid signature of ann@example.com" in outcome.err
    outcome = sceneset("verify", "--signed", "--repo", f"file://{ready}", cwd=tmp_path)
    assert outcome.code == 0, outcome.err


def test_a_release_is_signed_later_by_repeating_it(
    released: Path, user: User, sceneset: Run
) -> None:
    outcome = sceneset("verify", "--signed", "--json", cwd=released)
    assert refused(outcome) == "its tag is not signed"
    assert "sceneset release 1.0.0 --sign" in outcome.json[0]["hint"]
    commit = git(released, "rev-parse", f"{TAG}^{{commit}}")
    assert sceneset("release", "1.0.0", "--sign", cwd=released).code == 0
    assert git(released, "rev-parse", f"{TAG}^{{commit}}") == commit
    before = git(released, "for-each-ref")
    assert sceneset("release", "1.0.0", "--sign", cwd=released).code == 0
    assert git(released, "for-each-ref") == before, "a signed tag is not signed again"
    assert sceneset("verify", "--signed", cwd=released).code == 0


@pytest.mark.faults
def test_a_signature_of_a_key_that_the_user_does_not_trust_is_refused(
    ready: Path, user: User, sceneset: Run
) -> None:
    assert sceneset("release", "1.0.0", "--sign", cwd=ready).code == 0
    user.trust(user.other)
    # Whoever can change the repository's configuration could add a key of their own.
    mine = ready / "signers"
    mine.write_text(f"ann@example.com {user.key.read_text()}")
    git(ready, "config", "gpg.ssh.allowedSignersFile", str(mine))
    message = refused(sceneset("verify", "--signed", "--json", cwd=ready))
    assert "a key that you have not listed: SHA256:" in message
    expired = f'ann@example.com valid-before="20200101" {user.key.read_text()}'
    for change, text in (
        (lambda: user.signers.write_text(expired), "has expired or was revoked"),
        (user.signers.unlink, "git has no list of the keys that you trust"),
        (lambda: user.set("gpg.ssh.allowedSignersFile", ""), "git has no list of the keys"),
    ):
        change()
        assert text in refused(sceneset("verify", "--signed", "--json", cwd=ready))


def change_tag(root: Path, old: str, new: str, name: str = TAG) -> None:
    """Write a changed copy of the tag as the tag ``name``."""
    text = git(root, "cat-file", "tag", TAG)
    assert old in text
    words = ("git", "hash-object", "-t", "tag", "-w", "--stdin")
    changed = text.replace(old, new, 1).encode()
    done = subprocess.run(words, cwd=root, input=changed, check=True, capture_output=True)
    git(root, "update-ref", f"refs/tags/{name}", done.stdout.decode().strip())


def test_a_tag_that_was_changed_after_signing_is_refused(
    ready: Path, user: User, sceneset: Run
) -> None:
    assert sceneset("release", "1.0.0", "--sign", cwd=ready).code == 0
    change_tag(ready, "Release 1.0.0", "Release 1.0.1")
    message = refused(sceneset("verify", "--signed", "--json", cwd=ready))
    assert message == "the signature of its tag is not valid for its content"


@pytest.mark.faults
def test_a_signed_tag_of_another_version_is_refused(ready: Path, user: User, sceneset: Run) -> None:
    assert sceneset("release", "1.0.0", "--sign", cwd=ready).code == 0
    git(ready, "update-ref", f"refs/tags/{ARTIFACT}@v2.0.0", f"refs/tags/{TAG}")
    outcome = sceneset("verify", "--signed", "--rev", "2.0.0", "--json", cwd=ready)
    assert (outcome.code, outcome.json[0]["message"]) == (
        1, "its tag is a signed tag of another name",
    )  # fmt: skip


@pytest.mark.faults
def test_nothing_is_released_when_the_tag_can_not_be_signed(
    ready: Path, user: User, sceneset: Run
) -> None:
    user.set("user.signingKey", str(user.key.with_name("nowhere.pub")))
    before = git(ready, "for-each-ref")
    outcome = sceneset("release", "1.0.0", "--sign", cwd=ready)
    assert (outcome.code, "can't be signed" in outcome.err) == (1, True), outcome.err
    assert (git(ready, "for-each-ref"), git(ready, "status", "--porcelain")) == (before, "")


@pytest.mark.faults
def test_programs_of_the_repository_do_not_sign_or_verify(
    ready: Path, user: User, sceneset: Run
) -> None:
    program = ready / ".sceneset/evil"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\ntouch {ready}/.sceneset/ran\n")
    program.chmod(0o755)
    for option in ("gpg.ssh.program", "gpg.program", "gpg.ssh.defaultKeyCommand"):
        git(ready, "config", option, str(program))
    outcome = sceneset("release", "1.0.0", "--sign", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert sceneset("verify", "--signed", cwd=ready).code == 0
    assert not (ready / ".sceneset/ran").exists()


@pytest.mark.faults
def test_a_key_of_the_repositorys_own_settings_signs(
    ready: Path, user: User, sceneset: Run
) -> None:
    git(ready, "config", "user.signingKey", str(user.other))
    assert sceneset("release", "1.0.0", "--sign", cwd=ready).code == 0
    user.trust(user.other)
    assert sceneset("verify", "--signed", cwd=ready).code == 0


@pytest.mark.faults
def test_signed_refuses_other_revisions_and_options(released: Path, sceneset: Run) -> None:
    git(released, "commit", "--quiet", "--allow-empty", "--message", "Later")
    outcome = sceneset("verify", "--signed", "--rev", "HEAD", cwd=released)
    assert (outcome.code, "HEAD is no version" in outcome.err) == (2, True)
    for words in (("--deep",), ("--repair",), ("--remote", "store")):
        assert sceneset("verify", "--signed", *words, cwd=released).code == 2
    git(released, "tag", "--delete", TAG)
    outcome = sceneset("verify", "--signed", "--rev", "1.0.0", cwd=released)
    assert (outcome.code, "has no tag" in outcome.err) == (2, True)
