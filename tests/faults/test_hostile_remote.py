"""No command gives credentials to a remote that is not trusted, or runs a program of it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sceneset.cli.main import COMMANDS
from support.build import NAME, Run, dvc, git, snapshot, write_mask
from support.models import red_model
from support.servers import SECRETS, Listener


def set_remote(root: Path, *lines: str, core: str = "") -> str:
    options = "".join(f"    {line}\n" for line in ("url = s3://bucket/people", *lines))
    config = f"[core]\n    remote = store\n{core}['remote \"store\"']\n{options}"
    (root / ".dvc/config").write_text(config)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "A remote")
    return f"file://{root}"


def commands(url: str, to: Path) -> dict[tuple[Any, ...], int]:
    """Return command lines for all commands that read a registry at a URL, and their exit codes."""
    crop = ("crop", "web", "--boxes", to.with_name("boxes.json"), "--min-side", "8")
    crop = (*crop, "--name", "CustomSeg_Person_20240116_crops", "--to", to.with_name("crops"))
    return {
        ("check", "--repo", url): 0,
        ("lookup", "ski", "--repo", url): 0,
        ("show", "web", "--repo", url): 0,
        ("scenes", "--repo", url): 0,
        ("selections", "--repo", url): 0,
        ("sql", "select count(*) from scans", "--repo", url): 0,
        ("plan", "--repo", url): 0,
        ("versions", "--repo", url): 0,
        ("card", "--repo", url, "--to", to.with_name(".sceneset") / "card.md"): 0,
        ("diff", "HEAD~1", "HEAD", "--repo", url): 0,
        ("diff", "HEAD~1", "HEAD", "--repo", url, "--fetch"): 2,
        ("verify", "--repo", url): 2,
        ("verify", "--repo", url, "--deep"): 2,
        ("pull", "ski", "--repo", url, "--to", to): 2,
        ("export", "coco", "ski", "--repo", url, "--to", to): 2,
        ("view", "ski", "--repo", url, "--fetch", "--to", to.with_suffix(".html")): 2,
        ("site", "--repo", url, "--fetch", "--to", to.with_name("catalogue")): 2,
        ("serve", "--index", "--repo", url): 0,
        ("evaluate", "--against", "HEAD~1", "--repo", url, "--fetch"): 2,
        ("suggest", "--model", to.with_name("red.onnx"), "--repo", url, "--fetch"): 2,
        (*crop, "--repo", url, "--fetch"): 2,
        ("fineness", "--repo", url, "--view", to.with_name(".sceneset") / "worst.html"): 0,
        ("export", "hf", "ski", "--rev", "HEAD", "--repo", url, "--to", to): 2,
    }


def test_no_command_sends_anything_to_a_remote_that_is_not_trusted(
    added: Path, listener: Listener, tmp_path: Path, sceneset: Run
) -> None:
    url = set_remote(added, f"endpointurl = {listener.url}")
    masks = f"Insta360SemanticSeg/{NAME}/ann_dir"
    (added / masks / "train/a.png").unlink()
    write_mask(added / masks / "train/a.png", ignore=True)  # `diff --fetch` compares both masks
    dvc(added, "add", masks)
    dvc(added, "repro")
    git(added, "add", "--all")
    git(added, "commit", "--quiet", "--message", "A better mask")
    (tmp_path / "red.onnx").write_bytes(red_model())
    boxes = '[{"image_id": "a", "bbox": [8, 4, 16, 16]}]'
    (tmp_path / "boxes.json").write_text(boxes)
    before = snapshot(tmp_path)
    for words, code in commands(url, tmp_path / "out").items():
        outcome = sceneset(*words, cwd=tmp_path)
        assert outcome.code == code, f"{words}: {outcome.err}"
        if code:
            assert f"sceneset trust {url}" in outcome.err
        assert listener.requests == [], words
    assert snapshot(tmp_path) == before
    # The server does receive the requests of a remote that is trusted.
    assert sceneset("trust", url, cwd=tmp_path).code == 0
    sceneset("export", "coco", "ski", "--repo", url, "--to", tmp_path / "out", cwd=tmp_path)
    assert listener.received(SECRETS[0])


def test_every_command_with_a_repository_is_walked(tmp_path: Path, sceneset: Run) -> None:
    walked = {words[0] for words in commands("url", tmp_path)}
    helps = {name: sceneset(name, "--help", cwd=tmp_path).out for name in COMMANDS}
    assert walked == {name for name, text in helps.items() if "--repo REPO" in text}


def test_program_that_the_configuration_of_a_clone_names_gives_no_credentials(
    added: Path, listener: Listener, tmp_path: Path, sceneset: Run
) -> None:
    marker, program = tmp_path / "marker", added / "registry/run.sh"
    keys = '{"Version": 1, "AccessKeyId": "evil-key", "SecretAccessKey": "x"}'
    program.write_text(f"#!/bin/sh\ntouch {marker}\necho '{keys}'\n")
    program.chmod(0o755)
    aws = added / "registry/aws.cfg"
    aws.write_text(f"[profile evil]\ncredential_process = {program}\n")
    lines = ("configpath = ../registry/aws.cfg", "profile = evil")
    pickles = added / "registry/pickles"
    core = f"    site_cache_dir = {pickles}\n"
    for config in (lines, ()):
        set_remote(added, f"endpointurl = {listener.url}", *config, core="" if config else core)
        for words in (
            ("scan", "web", "--from-remote"),
            ("scan", "web", "--from-remote", "--engine", "dask"),
            ("pull", "ski", "--to", tmp_path / "out"),
            ("export", "coco", "ski", "--to", tmp_path / "out"),
            ("verify", "--repair"),
            ("release", "1.0.0"),
            ("doctor", "--fix"),
        ):
            outcome = sceneset(*words, cwd=added)
            assert outcome.code, words
            name = "configpath" if config else "site_cache_dir"
            assert name in outcome.err + outcome.out, f"{words}: {outcome.err}"
            assert not marker.exists(), words
            assert not pickles.exists(), words
    assert listener.requests == []
    # What is planted works: DVC, and boto3 with this file, run the program.
    command = [sys.executable, "-m", "dvc", "status", "--quiet", "--cloud"]
    subprocess.run(command, cwd=added, capture_output=True, check=False)
    assert pickles.is_dir(), "DVC opens its cache of pickled objects there"
    set_remote(added, f"endpointurl = {listener.url}", *lines)
    subprocess.run(command, cwd=added, capture_output=True, check=False)
    assert marker.exists()
    assert listener.received("evil-key")
    marker.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_CONFIG_FILE", str(aws))
        session = boto3.Session(profile_name="evil")
        client = session.client("s3", endpoint_url=listener.url, region_name="us-east-1")
        with pytest.raises(ClientError):
            client.list_buckets()
    assert marker.exists()
