"""Sign the tags of versions, and verify their signatures with the keys that the user trusts.

Git runs in a new, empty repository that borrows the objects, so that the configuration of the
registry's repository can't name the programs to run or the keys to accept.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sceneset.errors import GitError, UnknownRevisionError
from sceneset.schemas.finding import Finding, finding
from sceneset.storage.git import git, repository_guard, run_git
from sceneset.storage.git_guard import OWN_SCOPES
from sceneset.storage.leftovers import temporary_folder
from sceneset.versions.resolve import ARTIFACT

_USED_TO_SIGN = ("user.signingKey", "gpg.format")
_USED_TO_VERIFY = (
    "gpg.ssh.allowedSignersFile",
    "gpg.ssh.revocationFile",
    "gpg.minTrustLevel",
)
_PROGRAMS = ("gpg.program", "gpg.openpgp.program", "gpg.x509.program", "gpg.ssh.program")
_SIGNATURE = re.compile(r"(?m)^-----BEGIN (?:PGP SIGNATURE|SSH SIGNATURE|SIGNED MESSAGE)-----$")
_IDENTITY = re.compile(r"(?P<name>.*) <(?P<email>[^<>]*)> (?P<date>\d+ [+-]\d+)")
_GPG = re.compile(r"(?m)^\[GNUPG:\] (\w+)")
_EXPIRED = {"EXPKEYSIG", "KEYEXPIRED", "REVKEYSIG", "KEYREVOKED", "EXPSIG"}
_SSH_KEY = re.compile(r"SHA256:[\w+/=]+")
_GOOD_BY = re.compile(r'(?m)^Good "git" signature for (.*) with |^\[GNUPG:\] GOODSIG \w+ (.*)$')


def signed_tag(root: Path, tag: str, commit: str, message: str) -> str:
    """Return a new tag object, signed with the user's key as git is configured; no ref names it.

    Args:
        root: A folder of the repository.
        tag: The name of the tag.
        commit: The commit to tag.
        message: The message of the tag.

    Raises:
        GitError: There is no key, or it can't be used; the message is git's own.
    """
    identity = _IDENTITY.fullmatch(git(root, "var", "GIT_COMMITTER_IDENT").strip())
    assert identity, "git writes an identity as name <email> seconds zone"
    name, email, date = identity.group("name", "email", "date")
    who = {
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
        "GIT_COMMITTER_DATE": f"@{date}",
    }
    options = _as_options(_signing_settings(root))
    with _borrowed(root) as env:
        words = (*options, "tag", "-s", "-m", message, "--", tag, commit)
        done = run_git(root, *words, env={**env, **who})
        # With an SSH key that it can't read, git 2.39 reports success and creates an unsigned tag.
        if done.returncode or not is_signed(root, tag, env):
            raise GitError(f"the tag can't be signed: {_last_line(done.stderr)}")
        return git(root, "rev-parse", f"refs/tags/{tag}", env=env).strip()


def _last_line(output: bytes) -> str:
    """Return the error in the output of git, or the last line of it."""
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("error:", "fatal:"))]
    return (errors or lines or ["git gave no reason"])[0]


def _signing_settings(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the settings to sign with that the repository's own configuration may make."""
    replaced = {key for key, _ in repository_guard(root).settings}
    for key in (*_USED_TO_SIGN, *_PROGRAMS):
        names = {key, "gpg.program"} if key == "gpg.openpgp.program" else {key}
        value = git(root, "config", "--get", key, check=False).removesuffix("\n")
        if value and not names & replaced:
            yield key, value


def _own_settings(repo: Path) -> Iterator[tuple[str, str]]:
    """Yield the settings to verify with that the user made outside of the repository."""
    for key in (*_USED_TO_VERIFY, *_PROGRAMS):
        listed = git(repo, "config", "--show-scope", "--get-all", "-z", key, check=False)
        fields = listed.split("\0")
        pairs = zip(fields[::2], fields[1::2], strict=False)
        values = [value for scope, value in pairs if scope in OWN_SCOPES]
        if values:
            yield key, values[-1]


def _as_options(settings: Iterable[tuple[str, str]]) -> list[str]:
    return [word for key, value in settings for word in ("-c", f"{key}={value}")]


@contextmanager
def _borrowed(root: Path) -> Iterator[dict[str, str]]:
    """Yield the environment of an empty repository with the objects of another one."""
    objects = root.resolve() / git(root, "rev-parse", "--git-path", "objects").strip("\n")
    kind = git(root, "rev-parse", "--show-object-format").strip()
    with temporary_folder() as folder:
        home = {"GIT_DIR": str(folder / "git")}
        git(root, "init", "--quiet", "--bare", "--template=", f"--object-format={kind}", env=home)
        yield {**home, "GIT_OBJECT_DIRECTORY": str(objects)}


def is_signed(root: Path, tag: str, env: Mapping[str, str] | None = None) -> bool:
    """Return whether a tag has a signature, valid or not; ``env`` may name another repository."""
    text = git(root, "cat-file", "tag", f"refs/tags/{tag}", check=False, env=env)
    return bool(_SIGNATURE.search(text))


def sign_again(root: Path, tag: str, commit: str, message: str) -> None:
    """Replace a tag of this repository by a signed one of the same commit.

    Raises:
        GitError: It can't be signed, or it moved meanwhile.
    """
    before = git(root, "rev-parse", f"refs/tags/{tag}").strip()
    git(root, "update-ref", f"refs/tags/{tag}", signed_tag(root, tag, commit, message), before)


class Verified(NamedTuple):
    """The result of verifying the signature of a version."""

    findings: list[Finding]
    """Why there is no valid signature; empty if there is one."""
    signer: str = ""
    """Whose key it is, as the user's list of allowed signers or key ring names it."""


def verify_signature(repo: Path, number: str, commit: str) -> Verified:
    """Verify the signature of a version's tag with the keys that the user trusts.

    Only the user's own configuration counts: that of the repository could name its own keys.

    Args:
        repo: The git repository.
        number: The version.
        commit: The commit that is read as this version.

    Raises:
        UnknownRevisionError: There is no tag of this version.
    """
    tag = f"{ARTIFACT}@v{number}"
    oid = git(repo, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}", check=False).strip()
    if not oid:
        raise UnknownRevisionError(
            f"version {number} has no tag {tag}, and its tag is what is signed. Fetch the tags: "
            "git fetch --tags"
        )
    text = git(repo, "cat-file", "tag", oid, check=False)
    if not _SIGNATURE.search(text):
        return _refused(
            number,
            "its tag is not signed",
            f"sign it where it was released: sceneset release {number} --sign",
        )
    if f"tag {tag}" not in text.partition("\n\n")[0].split("\n"):
        return _refused(
            number,
            "its tag is a signed tag of another name",
            "somebody renamed a tag; ask the owner of the repository",
        )
    if tagged_commit(repo, tag) != commit:
        return _refused(
            number,
            f"its signed tag is not at commit {commit[:12]}, which is read as this version",
            "ask the owner of the repository",
        )
    with _borrowed(repo) as env:
        words = (*_as_options(_own_settings(repo)), "verify-tag", "--raw", oid)
        done = run_git(repo, *words, env=env)
    output = (done.stderr + done.stdout).decode("utf-8", "replace")
    if done.returncode == 0:
        match = _GOOD_BY.search(output)
        return Verified([], next(filter(None, match.groups()), "") if match else "")
    return _reason(number, output)


def _reason(number: str, output: str) -> Verified:
    """Return why git refused a signature, and how to mend it."""
    codes = set(_GPG.findall(output))
    key = _SSH_KEY.search(output)
    if "allowedSignersFile needs" in output or "Unable to open allowed keys" in output:
        return _refused(
            number,
            "its tag is signed with an SSH key, and git has no list of the keys that you trust",
            'write `NAME namespaces="git" PUBLIC KEY` into a file, and run git config --global '
            "gpg.ssh.allowedSignersFile FILE",
        )
    if codes & _EXPIRED or "key has expired" in output:
        return _refused(
            number,
            "its tag is signed with a key that has expired or was revoked",
            "ask the signer; `gpg --list-keys`, or the list of allowed signers, has the dates",
        )
    if "No principal matched" in output:
        return _refused(
            number,
            f"its tag is signed with a key that you have not listed: {key[0] if key else '?'}",
            "if the key is that of somebody you trust, add it to the file that git config "
            "gpg.ssh.allowedSignersFile names",
        )
    if "NO_PUBKEY" in codes:
        return _refused(
            number,
            "its tag is signed with a key that is not in your key ring",
            "if you trust the signer, get the public key from them, and run gpg --import FILE",
        )
    if "BADSIG" in codes or "incorrect signature" in output or "invalid format" in output:
        return _refused(
            number,
            "the signature of its tag is not valid for its content",
            "do not use this version: somebody changed the tag; ask the owner of the repository",
        )
    lines = [line for line in output.splitlines() if line and not line.startswith("[GNUPG:]")]
    return _refused(
        number,
        f"the signature of its tag can't be verified: {lines[-1] if lines else 'no reason'}",
        "",
    )


def _refused(number: str, message: str, hint: str) -> Verified:
    file = f"registry/versions/{number}.yaml"
    return Verified([finding("version-signature", message, file=file, hint=hint)])


def tagged_commit(root: Path, tag: str) -> str:
    """Return the commit that a tag names, or ""."""
    words = ("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    return git(root, *words, check=False).strip()
