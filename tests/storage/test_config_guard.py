"""A DVC configuration that came with a clone names no program that DVC then runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.config import Config

from sceneset.errors import DvcError
from sceneset.storage.config_guard import check_own_config
from sceneset.storage.dvc import Project, dvc
from support.build import git

REMOTE = "['remote \"s\"']\n    url = s3://b/x\n"
LINE_ENDS = ("\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")


def configure(root: Path, text: str, name: str = ".dvc/config") -> None:
    path = root / name
    before = path.read_text("utf-8") if path.exists() else ""
    path.write_bytes(f"{before}{text}".encode())


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("site_cache_dir", "[cache]\n    site_cache_dir = registry/pickles\n"),
        ("site_cache_dir", "[index]\n    SITE_CACHE_DIR = .\n"),
        ("configpath", f"{REMOTE}    configpath = ../registry/aws.cfg\n"),
        ("configpath", f"{REMOTE}    'configpath' = '''../registry/aws.cfg'''\n"),
        ("configpath", f"{REMOTE}    here = ../registry\n    configpath = %(here)s/aws.cfg\n"),
        ("configpath", f"[DEFAULT]\n    here = ../registry\n{REMOTE}    configpath = %(here)s/a\n"),
        ("configpath", f"{REMOTE}    configpath = ../link/aws.cfg\n"),
        ("configpath", f"{REMOTE}    configpath = ../../beside/aws.cfg\n"),
        ("configpath", f"{REMOTE}    configpath = /proc/self/cwd/registry/aws.cfg\n"),
        ("configpath", f"{REMOTE}    configpath = //proc/self/cwd/registry/aws.cfg\n"),
        ("configpath", f"{REMOTE}    configpath = /x/../proc/self/cwd/registry/aws.cfg\n"),
        ("configpath", f"{REMOTE}    configpath = ../proc/aws.cfg\n"),
        ("credentialpath", f"{REMOTE}    credentialpath = ../registry/aws.cfg\n"),
        ("credentialpath", f"{REMOTE}    credentialpath = a\0b\n"),
        ("plugins_path", "[hydra]\n    plugins_path = registry\n"),
        ("bearer_token_command", f"{REMOTE}    bearer_token_command = echo\n"),
    ],
)
@pytest.mark.parametrize("name", [".dvc/config", ".dvc/config.local"])
def test_configuration_that_runs_files_of_the_repository_is_refused(
    option: str, text: str, name: str, added: Path
) -> None:
    (added / "link").symlink_to("/usr/share")  # it may lead anywhere later
    (added.parent / "beside").symlink_to("registry/registry")
    (added / "proc").symlink_to("/proc/self/cwd")
    configure(added, text, name)
    git(added, "add", "--force", name)
    for call in (lambda: Project(added), lambda: dvc(added, "status")):
        with pytest.raises(DvcError, match=option):
            call()


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
def test_dangerous_option_is_found_behind_every_line_end_that_dvc_knows(
    end: str, added: Path
) -> None:
    configure(added, f"{REMOTE}    region = x{end}    configpath = ../registry/aws.cfg\n")
    read = Config(str(added / ".dvc"))["remote"]["s"]["configpath"]
    assert read == str(added / "registry/aws.cfg"), "DVC sees the option"
    with pytest.raises(DvcError, match="configpath"):
        check_own_config(added)


@pytest.mark.parametrize(
    "text",
    [
        "[a\n    configpath = x\n",
        "".join(f"{'[' * n}a{']' * n}\n" for n in range(1, 3000)) + "configpath = x\n",
        f"{REMOTE}    configpath = %(nothing)s\n",
        f"{REMOTE}    a = %(b)s\n    b = %(a)s\n    configpath = %(a)s\n",
        f"# {'x' * (1 << 20)}\n",
    ],
    ids=["syntax", "depth", "no such option", "loop", "size"],
)
def test_configuration_that_can_not_be_read_is_refused_in_one_line(text: str, added: Path) -> None:
    configure(added, text)
    with pytest.raises(DvcError, match=r"^\.dvc/config (can't be read|is larger)") as refused:
        check_own_config(added)
    assert "\n" not in str(refused.value)


def test_configuration_may_not_name_files_of_the_repository_around_the_project(
    added: Path, tmp_path: Path
) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "--quiet")
    root = added.rename(outer / "project")
    (root / ".git").rename(tmp_path / "unused")
    (outer / "aws.cfg").write_text("")
    configure(root, f"{REMOTE}    configpath = ../../aws.cfg\n")
    check_own_config(root)  # nobody tracks the file: the user wrote it
    git(outer, "add", "aws.cfg")
    with pytest.raises(DvcError, match="configpath"):
        check_own_config(root)


@pytest.mark.parametrize("place", [str, lambda path: f"../../{path.name}"])
def test_configuration_outside_of_the_repository_is_obeyed(
    place: Callable[[Path], str], added: Path, tmp_path: Path
) -> None:
    (tmp_path / "aws.cfg").write_text("")
    configure(added, f"{REMOTE}    configpath = {place(tmp_path / 'aws.cfg')}\n")
    name, remotes = Project(added).address("s")
    assert remotes[name]["configpath"] == str(tmp_path / "aws.cfg")
