"""Options of a repository's own git configuration that sceneset does not obey."""

import pytest

from sceneset.storage.git_guard import Setting, guard_of, parse_settings

ENV = {"SSH_ASKPASS": "/usr/bin/ask"}
HELPER = "credential.https://host.helper"
REPLACED = [
    ("core.sshcommand", "x", [], [("core.sshcommand", "ssh")]),
    ("core.sshcommand", "ssh -o ProxyCommand=x", [], [("core.sshcommand", "ssh")]),
    (
        "core.sshcommand",
        "ssh -i k;x",
        [("core.sshcommand", "plink")],
        [("core.sshcommand", "plink")],
    ),
    ("core.sshcommand", "ssh -i ~/.ssh/key -o IdentitiesOnly=yes", [], []),
    ("core.askpass", "x", [], [("core.askpass", "/usr/bin/ask")]),
    ("core.alternaterefscommand", "x", [], [("core.alternaterefscommand", "true")]),
    ("gpg.openpgp.program", "./x", [("gpg.program", "/g")], [("gpg.program", "/g")]),
    ("gpg.program", "gpg2", [], []),
    ("gpg.program", "/usr/local/bin/gpg", [], []),
    ("gpg.program", "//proc/self/cwd/x", [], [("gpg.program", "gpg")]),
    ("gpg.x509.program", "/home/me/tree/x", [], [("gpg.x509.program", "gpgsm")]),
    ("gpg.ssh.program", "/usr/../home/me/tree/x", [], [("gpg.ssh.program", "ssh-keygen")]),
    ("gpg.ssh.defaultkeycommand", "x", [], [("gpg.ssh.defaultkeycommand", "false")]),
    ("credential.helper", "!x", [], [("credential.helper", "")]),
    ("credential.helper", "store; x", [], [("credential.helper", "")]),
    (HELPER, "/x", [(HELPER, "mine")], [("credential.helper", ""), (HELPER, "mine")]),
    ("credential.helper", "store", [], []),
    ("credential.helper", "", [], []),
    ("http.https://github.com/.extraheader", "AUTHORIZATION: basic x", [], []),
    ("remote.origin.url", "https://host/x", [], []),
]
OFFLINE = (
    *("core.gitproxy", "remote.a.b.uploadpack", "remote.o.proxy", "http.proxy"),
    *("http.https://host/.sslverify", "http.sslcainfo", "http.sslcapath", "http.curloptresolve"),
    *("http.savecookies", "http.cookiefile", "http.delegation"),
)


@pytest.mark.parametrize(("key", "value", "own", "expected"), REPLACED)
@pytest.mark.parametrize("scope", ["local", "worktree"])
def test_programs_of_the_repository_are_replaced_by_the_users(
    scope: str,
    key: str,
    value: str,
    own: list[tuple[str, str]],
    expected: list[tuple[str, str]],
) -> None:
    settings = [*(Setting("global", *pair) for pair in own), Setting(scope, key, value)]
    guard = guard_of(settings, ENV, "/home/me/tree")
    assert list(guard.settings) == expected
    assert not guard.is_offline
    assert (key in guard.note) == bool(expected)
    for mine in ("system", "global", "command"):
        assert guard_of([Setting(mine, key, value)], ENV, "/home/me/tree").settings == ()


@pytest.mark.parametrize("key", OFFLINE)
def test_git_connects_to_no_remote_when_the_repository_sets_where_credentials_go(key: str) -> None:
    guard = guard_of([Setting("local", key, "x")], ENV, "/home/me/tree")
    assert guard.is_offline
    assert key in guard.note
    assert not guard_of([Setting("global", key, "x")], ENV, "/home/me/tree").is_offline


def test_settings_are_parsed_with_any_value() -> None:
    listing = "global\0a.b\none\ntwo\0local\0core.fsmonitor\0local\0c.D\n.e\n\0"
    assert parse_settings(listing) == [
        Setting("global", "a.b", "one\ntwo"),
        Setting("local", "core.fsmonitor", ""),
        Setting("local", "c.D", ".e\n"),
    ]
    assert parse_settings("") == []
