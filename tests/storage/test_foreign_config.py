"""Of a foreign .dvc/config only the options of an allow-list are used."""

from pathlib import Path

import pytest
from configobj import ConfigObj
from dvc.config import Config

from sceneset.errors import DvcError
from sceneset.paths import without_userinfo
from sceneset.storage.foreign_config import (
    MAX_CONFIG,
    config_text,
    embedded_remotes,
    read_foreign_config,
)
from sceneset.storage.trust import RemoteLocation

HOSTILE = """
[core]
    remote = Store
    site_cache_dir = ../registry/pickles
    analytics = true
[cache]
    dir = ../registry/cache
    type = symlink
[hydra]
    plugins_path = plugins
['remote "store"']
    url = s3://bucket/people
    endpointurl = https://store.example
    region = eu-central-1
    verify = true
    allow_anonymous_login = false
    configpath = ../registry/aws.cfg
    profile = evil
    credentialpath = ../registry/credentials
    access_key_id = key
    secret_access_key = secret
    session_token = token
    ssl_verify = false
    jobs = 4
['remote "web"']
    url = webdavs://host/people
    bearer_token_command = touch marker
    custom_auth_header = X-Token
    ask_password = true
    password = secret
    cert_path = ../cert
    key_path = ../key
['remote "drive"']
    url = gdrive://folder
    gdrive_service_account_json_file_path = ../registry/account.json
    gdrive_user_credentials_file = ../registry/user.json
['remote "nas"']
    url = ssh://nas.example/people
    port = 2222
    user = reader
    keyfile = ../registry/key
['remote "no url"']
    url = s3://x/y
['machine "aws"']
    cloud = aws
    startup_script = ../run.sh
"""
KEPT = {
    "store": {
        "url": "s3://bucket/people",
        "endpointurl": "https://store.example",
        "region": "eu-central-1",
        "verify": "true",
        "allow_anonymous_login": "false",
    },
    "web": {"url": "webdavs://host/people"},
    "drive": {"url": "gdrive://folder"},
    "nas": {"url": "ssh://nas.example/people", "port": "2222", "user": "reader"},
}


def test_read_foreign_config_keeps_only_allowed_options() -> None:
    config = read_foreign_config(HOSTILE)
    assert config.default == "store"
    assert config.remotes == KEPT
    for option in ("core.site_cache_dir", "cache.dir", "remote.store.configpath"):
        assert option in config.dropped
    assert "remote.web.bearer_token_command" in config.dropped
    assert not {"core.analytics", "cache.type", "remote.store.jobs"} & set(config.dropped)


def test_config_text_is_read_by_dvc_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(config_text(read_foreign_config(HOSTILE)))
    conf = Config.load_file(str(tmp_path / "config"))
    assert conf["remote"] == KEPT
    assert conf["core"] == {"remote": "store", "analytics": "false", "check_update": "false"}
    assert set(conf) == {"core", "remote", "machine", "db"}
    assert not conf["machine"]


@pytest.mark.parametrize(
    "url",
    ["s3://b/a, b", "s3://b/a # b", "s3://b/it's", "../数据/图 片", "s3://b/%20x", 's3://b/"x"'],
)
def test_config_text_quotes_unusual_urls(url: str, tmp_path: Path) -> None:
    source = ConfigObj({'remote "store"': {"url": url}}, interpolation=False)
    text = "\n".join(source.write())
    (tmp_path / "config").write_bytes(config_text(read_foreign_config(text)))
    assert Config.load_file(str(tmp_path / "config"))["remote"] == {"store": {"url": url}}


@pytest.mark.parametrize(
    "text",
    [
        "['remote \"store\"']\nurl = '''s3://b/x\nconfigpath = ../evil'''\n",
        "['remote \"store\"']\nurl = s3://b/\x1b[31m\n",
        "['remote \"store\"']\nurl = %(evil)s\nevil = s3://b/x\n",
        "['remote \"store\"']\nurl = a, b\n",
    ],
    ids=["lines", "escape", "interpolation", "list"],
)
def test_read_foreign_config_drops_values_that_are_not_one_line_of_text(text: str) -> None:
    config = read_foreign_config(text)
    assert config.remotes == {}
    assert "remote.store.url" in config.dropped


@pytest.mark.parametrize("text", ["[[[\n", "#" * (MAX_CONFIG + 1)], ids=["broken", "large"])
def test_read_foreign_config_refuses_text_that_is_no_configuration(text: str) -> None:
    with pytest.raises(DvcError, match=r"\.dvc/config"):
        read_foreign_config(text)


def test_embedded_remotes_are_folders_inside_of_the_repository() -> None:
    urls = ["../demo/remote", "..", ".", "../../out", "/etc", "~/x", "../.git/x", "s3://b/x"]
    text = "".join(f"['remote \"r{n}\"']\n    url = {url}\n" for n, url in enumerate(urls))
    assert embedded_remotes(read_foreign_config(text)) == ["demo/remote"]


@pytest.mark.parametrize("region", ["eu.evil.example/x#", "eu-central-1.evil", "EU", "a" * 64, ""])
def test_region_can_not_name_another_server(region: str) -> None:
    text = f"['remote \"store\"']\nurl = s3://bucket/people\nregion = '{region}'\n"
    config = read_foreign_config(text)
    assert config.remotes == {"store": {"url": "s3://bucket/people"}}
    assert config.dropped == ("remote.store.region",)


def test_region_is_a_part_of_what_the_user_trusts() -> None:
    here, there = (
        RemoteLocation.of({"url": "s3://bucket/people", "region": region})
        for region in ("eu-central-1", "us-gov-west-1")
    )
    assert here != there
    assert "eu-central-1" in str(here)


def test_bytes_that_are_no_utf8_are_dropped_and_deep_sections_refused() -> None:
    text = "['remote \"store\"']\nurl = s3://bucket/数据\n[core]\nremote = 商店\n"
    config = read_foreign_config(text.encode("gbk").decode("utf-8", "surrogateescape"))
    assert (config.default, config.remotes, config.dropped) == ("", {}, ("remote.store.url",))
    config_text(config)
    deep = "".join(f"{'[' * n}a{']' * n}\n" for n in range(1, 240))
    deep += f"{'[' * 30_000}a{']' * 30_000}\n"
    with pytest.raises(DvcError, match="can't be read") as refused:
        read_foreign_config(deep[:MAX_CONFIG])
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:p@ss@host/a.git", "https://host/a.git"),
        ("https://me@host/a@b.git", "https://host/a@b.git"),
        ("https://host/a@b.git", "https://host/a@b.git"),
        ("git@host:team/a.git", "git@host:team/a.git"),
    ],
)
def test_no_part_of_a_password_is_shown(url: str, shown: str) -> None:
    assert without_userinfo(url) == shown
