"""Commands that change subsets send no request for a blob: a real S3 server counts them."""

from pathlib import Path

import pytest

from support.build import NAME, Run, dvc, git
from support.servers import BUCKET, KEYS, s3_server

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
WORDS = (
    ("tag", "ski", "--match", "a", "--add", "city"),
    ("move", "ski", "--match", "a", "--phase", "val"),
    ("split", "ski", "--val", "0.5", "--seed", "3", "--apply"),
    ("scene", "rename", "ski", "alpine"),
    ("drop", "--match", "b", "--reason", "out of focus"),
    ("rename", "web", f"{NAME}2"),
    ("retire", "web", "--reason", "replaced"),
)


@pytest.mark.faults
def test_changes_of_a_clone_without_images_ask_the_remote_for_nothing(
    added: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with s3_server("moto", tmp_path / "s3") as server:
        dvc(added, "remote", "add", "--default", "s3", f"s3://{BUCKET}/people")
        dvc(added, "remote", "modify", "s3", "endpointurl", server.url)
        git(added, "commit", "--quiet", "--all", "--message", "A remote")
        dvc(added, "push")
        clone = tmp_path / "clone"
        git(added, "clone", "--quiet", ".", str(clone))
        before = {method: len(server.requests(method)) for method in METHODS}
        assert before["PUT"] >= 5
        for words in WORDS:
            outcome = sceneset(*words, cwd=clone)
            assert outcome.code == 0, (words, outcome.err)
        after = {method: len(server.requests(method)) for method in METHODS}
    assert after == before
