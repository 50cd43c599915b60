"""The live catalogue: pages, API, pictures, marks, and a registry that changes."""

import json
import re
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.catalog.sample_arrays import Filter
from sceneset.catalog.sample_choice import Criteria, choose_samples
from sceneset.catalog.selections import resolve_selection
from sceneset.cli.catalogue import load_catalogue
from sceneset.edits.draft import Draft
from sceneset.edits.table_edit import take_table
from sceneset.errors import UsageError
from sceneset.rules.policy import WAIVERS_FILE, read_waivers
from sceneset.server import state as server_state
from sceneset.server.run import address_of, listen
from sceneset.server.security import Access
from sceneset.site.collect import site_options
from sceneset.versions.revisions import open_state
from support.build import NAME, Run, git, snapshot
from support.served import Server, served
from support.texts import OTHER_NAME, text_registry
from support.waiting import wait_until

KEY = f"{NAME}/train/a"


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch):
    monkeypatch.setattr(server_state, "_LOOK_AGAIN", 0)


@pytest.fixture
def server(added: Path) -> Iterator[Server]:
    with served(added) as found:
        yield found


def test_search_finds_samples_in_both_languages(server):
    for text in ("ski", "滑雪", "a"):
        found = server.get(f"/api/samples?text={text}").json
        assert KEY in [f"{s['subset']}/{s['phase']}/{s['stem']}" for s in found["samples"]], text
    assert server.get("/api/samples?text=篮球").json["total"] == 0
    page = server.get("/zh/search.html?text=滑雪&persons=multi")
    assert page.status == 200
    assert "4 个样本中的 2 个" in page.text
    assert 'lang="zh-CN"' in page.text
    assert "2 of 4 samples" in server.get("/en/search.html?scene=ski&persons=multi").text


def test_answers_of_the_api_agree(server):
    facets = server.get("/api/facets?phase=train").json
    assert facets["total"] == 4
    assert facets["persons"] == {"single": 2, "multi": 2}
    first = server.get("/api/samples?limit=3&sort=person-share&reverse=true").json
    rest = server.get(f"/api/samples?sort=person-share&reverse=true&after={first['next']}").json
    assert len(first["samples"]) == 3
    assert (len(rest["samples"]), rest["next"]) == (1, "")
    [scene] = [s for s in server.get("/api/scenes").json if s["key"] == "ski"]
    assert (scene["samples"], scene["single"], scene["multi"]) == (4, 2, 2)
    [subset] = server.get("/api/subsets").json
    assert (subset["name"], subset["samples"], subset["train"]) == (NAME, 4, 4)
    summary = server.get("/api/summary").json
    assert (summary["samples"], summary["commit"], summary["state"]) == (4, "", "")
    sample = server.get(f"/api/samples/{KEY}").json
    assert [name["zh"] for name in sample["scene_names"]] == ["滑雪"]
    assert server.get("/api/versions").json == []
    assert [event["version"] for event in server.get(f"/api/history/{KEY}").json] == [""]


def test_page_of_the_api_asks_nobody_else(server):
    page = server.get("/api/docs").text
    assert not re.search(r"https?://", page)
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert server.get(address).status == 200
    paths = server.get("/api/openapi.json").json["paths"]
    assert {"/api/samples", "/api/facets", "/thumbs/{subset}/{phase}/{stem}"} <= paths.keys()


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/en/scenes/skii.html", 404, "no scene is called &#39;skii&#39;. Nearest: ski"),
        ("/zh/subsets/none.html", 404, "没有这个页面"),
        ("/api/samples?scene=skii", 404, "Nearest: ski"),
        (f"/api/samples/{NAME}/train/z", 404, "there is no sample"),
        (f"/thumbs/{NAME}/train/z", 404, "there is no sample"),
        (f"/pictures/secret/{KEY}", 404, "image, mask, overlay"),
        ("/api/samples?after=x", 400, "use the value of `next`"),
        ("/en/search.html?after=x", 400, "use the value of `next`"),
        ("/api/samples?phase=training", 422, "phase"),
        ("/en/search.html?limit=0", 422, "limit"),
        ("/fr/search.html", 404, "There is no such page"),
        ("/api/nothing", 404, "Not Found"),
        ("/live/../../state.py", 404, ""),
        ("/data/%2e%2e/%2e%2e/params.yaml", 404, ""),
        ("/.git/config", 404, ""),
    ],
)
def test_wrong_addresses_say_what_is_wrong(server, path, status, text):
    found = server.get(path)
    assert (found.status, text in found.text) == (status, True), found.text


def test_pictures_are_drawn_and_kept_by_content(server, added):
    thumb = server.get(f"/thumbs/{KEY}")
    assert (thumb.status, thumb.headers["content-type"], thumb.data[8:12]) == (
        *(200, "image/webp", b"WEBP"),
    )
    again = server.get(f"/thumbs/{KEY}", if_none_match=thumb.headers["etag"])
    assert (again.status, again.data) == (304, b"")
    outline = server.get(f"/outlines/{KEY}")
    assert outline.headers["content-type"] == "image/svg+xml"
    assert outline.text.count("<path") == 2
    for kind, magic in (("image", b"\xff\xd8"), ("mask", b"\x89PNG"), ("overlay", b"\xff\xd8")):
        assert server.get(f"/pictures/{kind}/{KEY}").data.startswith(magic)
    shutil.rmtree(added / "Insta360SemanticSeg")
    shutil.rmtree(added / ".dvc/cache")
    assert server.get(f"/thumbs/{KEY}").data == thumb.data
    gone = server.get(f"/pictures/image/{KEY}")
    assert (gone.status, gone.headers["x-sceneset-picture"]) == (200, "missing")
    assert "is not on this" in gone.text
    assert "no-store" in gone.headers["cache-control"]


def test_missing_file_is_a_gray_tile_with_the_reason_until_it_is_there(added):
    parts = (f"Insta360SemanticSeg/{NAME}/img_dir", f"Insta360SemanticSeg/{NAME}/ann_dir")
    for part in parts:
        (added / part).rename(added / f"{part}.away")
    (added / ".dvc/cache").rename(added / ".dvc/away")
    with served(added, translate=load_catalogue().translate) as server:
        tile = server.get(f"/thumbs/{KEY}", accept_language="zh-CN,en;q=0.5")
        assert tile.headers["content-type"] == "image/svg+xml"
        assert 'fill="#dfe3e8"' in tile.text
        assert "--fetch" in tile.text
        assert "not on this machine" not in tile.text, "it is in the reader's language"
        assert "mask:" in server.get(f"/outlines/{KEY}").text
        for part in parts:
            (added / f"{part}.away").rename(added / part)
        assert server.get(f"/thumbs/{KEY}").headers["content-type"] == "image/webp"
        assert "<path" in server.get(f"/outlines/{KEY}").text


def test_withdrawn_sample_disappears_while_it_is_served(server, added):
    thumb = server.get(f"/thumbs/{KEY}")
    assert thumb.headers["content-type"] == "image/webp"
    zeros = "0" * 16
    fields = {"phash": zeros, "phash_mirror": zeros, "reason": "a wish"}
    tombstone = fields | {"image": server.get(f"/api/samples/{KEY}").json["image_md5"]}
    (added / "registry/forgotten.yaml").write_text(json.dumps({"forgotten": [tombstone]}))
    for path in (f"/thumbs/{KEY}", f"/outlines/{KEY}", f"/pictures/image/{KEY}"):
        found = server.get(path, if_none_match=thumb.headers["etag"])
        assert found.status == 404, path
    assert server.get("/api/samples").json["total"] == 3
    pictures = (added / ".sceneset/pictures.db").read_bytes()
    assert thumb.data not in pictures


@pytest.fixture
def marked(server, added, tmp_path):
    """Make a file of two marked samples, and return its path."""

    def make(kind: str, **fields: str) -> Path:
        before = snapshot(added)
        body = {"samples": [KEY, f"{NAME}/train/c", KEY], **fields}
        found = server.post(f"/api/marks/{kind}", body).json
        assert found["saved"] is False
        assert snapshot(added) == before
        path = tmp_path / found["file"]
        path.write_text(found["text"])
        return path

    return make


def test_list_of_marked_samples_is_for_stems_file(marked, added):
    chosen = choose_samples(Catalog(added), Query(), Criteria(marked("stems")))
    assert chosen == {NAME: {("train", "a"), ("train", "c")}}


def test_table_of_marked_samples_is_for_tag(marked, added):
    path = marked("table")
    path.write_text(path.read_text().replace("ski", "city"))
    catalog = Catalog(added)
    assert take_table(catalog, Draft(catalog), path).samples == 2


def test_selection_of_marked_samples_is_for_params(marked, added):
    params = added / "params.yaml"
    text = re.sub(r"(?m)^selections:.*$", "", params.read_text())
    params.write_text(f"{text}\n{marked('selection', name='hard').read_text()}")
    [(subset, tags)] = resolve_selection(Catalog(added), "hard").items()
    assert (subset, [tag.stem for tag in tags]) == (NAME, ["a", "c"])


def test_waivers_of_marked_samples_are_for_the_registry(marked, added):
    shutil.copy(marked("waivers", rule="person-small", reason="far"), added / WAIVERS_FILE)
    assert [(w.code, w.sample) for w in read_waivers(added)] == [
        ("person-small", "train/a"),
        ("person-small", "train/c"),
    ]


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("stems", {"samples": ["x/train/a"]}, "there is no sample"),
        ("stems", {"samples": ["../../etc"]}, "there is no sample"),
        ("stems", {"samples": []}, "samples"),
        ("stems", {"samples": [KEY], "to": "/etc"}, "to"),
        ("selection", {"samples": [KEY], "name": "../x"}, "the name of the selection"),
        ("waivers", {"samples": [KEY], "rule": "mask-holes", "reason": ""}, "the reason"),
        ("waivers", {"samples": [KEY], "rule": "no-rule", "reason": "x"}, "there is no rule"),
        ("waivers", {"samples": [KEY], "rule": "image-truncated", "reason": "x"}, "the waiver"),
        ("other", {"samples": [KEY]}, "is not one of"),
    ],
)
def test_marks_that_make_no_file_say_why(server, kind, body, text):
    found = server.post(f"/api/marks/{kind}", body)
    assert found.status in {400, 404, 422}
    assert text in found.text


def test_marks_go_to_the_folder_that_the_user_chose(added, tmp_path):
    with served(added, marks=tmp_path) as server:
        names = [server.post("/api/marks/stems", {"samples": [KEY]}).json for _ in range(2)]
    assert [(one["file"], one["saved"]) for one in names] == [
        ("samples.txt", True),
        ("samples-1.txt", True),
    ]
    assert "samples-1.txt" in names[1]["use"]
    assert (tmp_path / "samples-1.txt").read_text() == f"{KEY}\n"


def test_changes_of_the_registry_are_shown_and_broken_states_recover(server, added):
    tags = added / f"registry/tags/{NAME}.csv"
    good = tags.read_text()
    assert server.get("/api/facets").json["scene"] == {"ski": 4}
    tags.write_text(good.replace("ski", "city", 1))
    assert server.get("/api/facets").json["scene"] == {"ski": 3, "city": 1}
    tags.write_text(good[: len(good) // 2] + "\nnonsense")
    for path in ("/api/facets", "/en/search.html", f"/thumbs/{KEY}", "/en/index.html"):
        broken = server.get(path)
        assert broken.status == 503
        assert f"registry/tags/{NAME}.csv" in broken.text
    assert "目前无法读取" in server.get("/zh/search.html").text
    tags.write_text(good)
    assert server.get("/api/facets").json["scene"] == {"ski": 4}
    params = added / "params.yaml"
    text = params.read_text()
    params.write_text("subsets: [")
    assert server.get("/en/search.html").status == 503
    params.write_text(text)
    assert server.get("/en/search.html").status == 200


def test_two_servers_of_one_registry_show_the_same(added):
    tags = added / f"registry/tags/{NAME}.csv"
    with served(added) as one, served(added) as other:
        for scene in ("ski", "city"):
            tags.write_text(tags.read_text().replace("ski", scene))
            answers = [server.get("/api/samples").json for server in (one, other)]
            assert answers[0] == answers[1]
            assert {sample["scenes"] for sample in answers[0]["samples"]} == {scene}
        for server in (one, other):
            assert server.get(f"/thumbs/{KEY}").headers["content-type"] == "image/webp"


def test_revision_is_served_while_the_working_tree_changes(added):
    tags = added / f"registry/tags/{NAME}.csv"
    tags.write_text(tags.read_text().replace("ski", "city"))
    catalog = open_state(str(added), "HEAD")
    live = server_state.Live(catalog, server_state.Options())
    assert live.state().index.facets(Filter())["scene"] == {"ski": 4}
    assert not (added / ".sceneset/index.db").exists()


def test_hostile_names_are_shown_as_text():
    stem = "<img src=x onerror=alert(1)>"
    tags = f'phase,stem,scenes,persons,boxes,source\ntrain,"{stem}",ski,single,,"<b>x</b>"\n'
    tags += 'train,"a\'b""; [x](javascript:alert)",ski,single,,\n'
    tags += "val,c%2F..%2F&amp;?#,ski,multi,,\n"
    with text_registry(**{NAME: tags, OTHER_NAME: tags}) as root:
        entry = root / f"registry/subsets/{NAME}.yaml"
        entry.write_text(entry.read_text() + "description: {en: '<script>alert(2)</script>'}\n")
        with served(root) as server:
            page = server.get("/en/search.html").text
            assert stem not in page
            assert "&lt;img src=x onerror=alert(1)&gt;" in page
            assert "<b>x</b>" not in page
            assert page.count("<script") == 3, "start, settings, and the page's own"
            for sample in server.get("/api/samples").json["samples"]:
                connection = urllib.request.Request(server.url + sample["thumb"])
                with urllib.request.urlopen(connection) as answer:
                    assert answer.headers["content-type"] == "image/svg+xml"
                    words = re.sub("<[^>]+>", " ", answer.read().decode()).split()
                    assert "not in the scan" in " ".join(words)
            text = server.get("/en/search.html?text=</script><script>alert(3)</script>").text
            assert "<script>alert(3)" not in text


def test_pages_of_the_catalogue_are_at_the_same_addresses(added):
    with served(added, collect=site_options) as server:
        assert wait_until(lambda: server.get("/en/index.html").status == 200)
        assert 'href="search.html"' in server.get("/en/index.html").text
        for path in ("/index.html", "/en/scenes/ski.html", f"/zh/subsets/{NAME}.html"):
            assert server.get(path).status == 200, path
        assert server.get(f"/data/{NAME}.js").headers["content-type"].startswith("text/javascript")
        missing = server.get("/en/scenes/skii.html")
        assert (missing.status, "Nearest: ski" in missing.text) == (404, True)
        tags = added / f"registry/tags/{NAME}.csv"
        tags.write_text(tags.read_text().replace("ski", "city"))
        assert server.get("/en/index.html").status == 503, "pages of the state before"
        assert wait_until(lambda: server.get("/en/index.html").status == 200)


def test_port_in_use_is_one_line(added, sceneset: Run):
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        done = sceneset("serve", "--port", port, cwd=added)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        f"sceneset: port {port} is in use; choose another one with --port, or 0 for any"
    ]
    with pytest.raises(UsageError, match="--host"):
        listen("no.such.host.invalid", 0)


def test_missing_libraries_are_one_line(added, sceneset: Run, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    done = sceneset("serve", cwd=added)
    assert (done.code, done.err) == (2, "sceneset: serve needs: pip install 'sceneset[serve]'\n")


def test_index_is_brought_up_to_date_without_a_server(added, sceneset: Run, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    done = sceneset("serve", "--index", cwd=added)
    assert (done.code, "4 samples" in done.err) == (0, True)
    assert (added / ".sceneset/index.db").is_file()
    assert git(added, "status", "--short") == ""


def test_marks_may_not_go_into_a_registry(added, sceneset: Run):
    for folder in ("registry/marks", "Insta360SemanticSeg/marks"):
        done = sceneset("serve", "--port", "0", "--marks", added / folder, cwd=added)
        assert done.code == 2
        assert "marks" in done.err


def test_address_without_loopback_has_a_token():
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        assert address_of(listening, Access("127.0.0.1")) == f"http://127.0.0.1:{port}/"
        access = Access.of("192.0.2.1")
        assert len(access.token) > 30
        assert address_of(listening, access) == f"http://192.0.2.1:{port}/?token={access.token}"
        assert Access.of("::1").token == Access.of("localhost").token == ""
        assert Access.of("0.0.0.0").token != Access.of("0.0.0.0").token
