"""Pages with pictures of what changed: `sceneset diff --html` and `sceneset review --html`."""

import base64
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from sceneset.catalog.reader import Catalog
from sceneset.catalog.tombstones import tombstones_text
from sceneset.imaging.mask_change import MARKS, Mark
from sceneset.reporting.change_values import changes_html
from sceneset.reporting.chosen_changes import choose_changes
from sceneset.reporting.diff_page import DiffPage, diff_page
from sceneset.reporting.diff_summary import StateName, summarize
from sceneset.reporting.draw_diff import draw_diff
from sceneset.reporting.picture_diff import Photo, PictureChange, PictureDiff, PictureGroup
from sceneset.reporting.review import Review
from sceneset.reporting.review_values import subset_provenances
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.tombstone import Tombstone
from sceneset.storage.files import md5_of
from sceneset.versions.diff import ChangeKind, Diff, compare
from sceneset.versions.drift import compute_drift
from sceneset.versions.revisions import open_at
from support.build import NAME, Run, git, write_mask
from support.changed import DATA, change_samples
from support.policy import PROVENANCE

HOSTILE = "</figcaption><script>alert(1)</script>\"'&\x1b[31m\u202e"


@pytest.fixture(scope="module")
def _changed(tmp_path_factory: pytest.TempPathFactory, _added_registry: Path) -> Path:
    folder = tmp_path_factory.mktemp("changed")
    root = Path(shutil.copytree(_added_registry, folder / "registry", symlinks=True))
    change_samples(root)
    return root


@pytest.fixture
def changed(tmp_path: Path, _changed: Path) -> Path:
    """A registry whose working tree differs from HEAD; see ``change_samples``."""
    return Path(shutil.copytree(_changed, tmp_path / "registry", symlinks=True))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "pictures/changes.html"


class Parsed(HTMLParser):
    """The elements of a page, with the attributes of each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def section(text: str, kind: str) -> str:
    """Return the part of a page with one kind of changes."""
    _, _, rest = text.partition(f'<section class="changes" id="changes-{kind}">')
    return rest.partition("</section>")[0]


def names_in(text: str) -> list[str]:
    return re.findall(r"<strong><bdi>[^<]*/(.*?)</bdi></strong>", text)


def layers(text: str, kind: str) -> list[np.ndarray]:
    found = re.findall(rf'class="layer {kind}" href="data:image/png;base64,([^"]+)"', text)
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")) for data in found
    ]


def md5_at(root: Path, path: str) -> str:
    return md5_of((root / DATA / path).read_bytes())


def test_page_shows_each_change_and_the_masks_that_changed_most_first(
    changed: Path, page: Path, sceneset: Run
) -> None:
    outcome = sceneset("diff", "HEAD", "--html", page, "--json", cwd=changed)
    assert outcome.code == 0, outcome.err
    written = outcome.json["html"]
    assert (written["file"], written["shown"], written["incomplete"]) == (str(page), 10, 0)
    text = page.read_text("utf-8")
    expected = {
        "mask": ["a", "b", "c"], "added": ["new", "new2", "twin"], "removed": ["d"], "moved": ["c"],
        "scenes": ["b"], "metadata": ["a"],
    }  # fmt: skip
    for kind, stems in expected.items():
        assert names_in(section(text, kind)) == stems, kind
        assert written["groups"][kind]["shown"] == len(stems)
    assert f"{NAME}/train/c" in section(text, "moved")
    assert "ski single → sea single, ski single" in section(text, "scenes")
    ious = re.findall(r"IoU ([0-9.]+)", section(text, "mask"))
    assert ious == sorted(ious)
    assert ious[-1] == "1.000", "only ignored pixels changed"


def text_of_page(root: Path) -> str:
    """Return the page of a working tree since HEAD."""
    old, new = open_at(root, "HEAD"), Catalog(root)
    diff = compare(old, new)
    pictures = draw_diff(old, new, diff.changes, [])
    return diff_page(DiffPage(StateName("HEAD"), StateName(""), "en", str, diff, pictures))


def test_changed_pixels_are_those_in_which_the_masks_differ(changed: Path, tmp_path: Path) -> None:
    marks = layers(section(text_of_page(changed), "mask"), "change")[0]
    write_mask(tmp_path / "old.png")
    old, new = (
        np.asarray(Image.open(path)) == 1
        for path in (tmp_path / "old.png", changed / DATA / "ann_dir/train/a.png")
    )
    assert np.array_equal((marks == MARKS[Mark.ADDED]).all(axis=2), new & ~old)
    assert np.array_equal(marks[..., 3] > 0, new ^ old)


def test_photos_are_in_the_page_once_and_references_lead_to_them(changed: Path) -> None:
    text = text_of_page(changed)
    assert text == text_of_page(changed)
    parsed = Parsed(text)
    photos = [image for image in parsed.named("image") if image.get("id")]
    identifiers = [photo["id"] for photo in photos]
    assert len({photo["href"] for photo in photos}) == len(photos) == len(set(identifiers))
    references = {str(use["href"]) for use in parsed.named("use")}
    assert references
    assert references <= {f"#{name}" for name in identifiers}
    links = {a["href"] for a in parsed.named("a")}
    assert links == {f"#{tag['id']}" for tag in parsed.named("section") if tag.get("id")}


def test_limit_shows_the_largest_changes_and_counts_the_others(
    changed: Path, page: Path, sceneset: Run
) -> None:
    outcome = sceneset("diff", "HEAD", "--html", page, "--limit", 1, "--json", cwd=changed)
    text = page.read_text("utf-8")
    assert names_in(section(text, "mask")) == ["a"]
    assert "1 of 3" in section(text, "mask")
    assert "2 more are not shown." in section(text, "mask")
    assert "2 more are not shown; those shown are evenly spread." in section(text, "added")
    assert outcome.json["html"]["groups"]["mask"] == {
        "total": 3, "shown": 1, "not_shown": 2, "withdrawn": 0, "restricted": 0,
    }  # fmt: skip


def test_missing_files_have_the_reason_and_fetch_downloads_only_those_that_are_shown(
    changed: Path, tmp_path: Path, page: Path, sceneset: Run
) -> None:
    cache, store = changed / ".dvc/cache", tmp_path / "store"
    shutil.move(cache, store)
    shutil.rmtree(changed / DATA / "img_dir")
    (changed / ".dvc/config").write_text(
        f"[core]\n    remote = store\n['remote \"store\"']\n    url = {store}\n"
    )
    words = ("diff", "HEAD", "--html", page, "--limit", 1, "--json")
    outcome = sceneset(*words, cwd=changed)
    assert outcome.code == 0, outcome.err
    assert outcome.json["html"]["incomplete"] == outcome.json["html"]["shown"] == 6
    reason = "image: is not on this machine; --fetch downloads it"
    assert reason in section(page.read_text("utf-8"), "mask")
    outcome = sceneset(*words, "--fetch", cwd=changed)
    assert outcome.code == 0, outcome.err
    assert outcome.json["html"]["incomplete"] == 0
    images = {path.name for path in cache.rglob("*") if path.is_file()}
    photos = [p for p in store.rglob("*") if p.is_file() and p.read_bytes()[:2] == b"\xff\xd8"]
    fetched = [p for p in photos if p.name in images]
    assert len(fetched) == 6 < len(photos)


def test_withdrawn_samples_are_counted_and_never_shown(
    changed: Path, page: Path, sceneset: Run
) -> None:
    md5 = md5_at(changed, "img_dir/train/a.jpg")
    tombstone = Tombstone(image=md5, phash="0" * 16, phash_mirror="0" * 16, reason="request")
    (changed / "registry/forgotten.yaml").write_text(tombstones_text([tombstone]))
    outcome = sceneset("diff", "HEAD", "--html", page, "--json", cwd=changed)
    assert outcome.code == 0, outcome.err
    text = page.read_text("utf-8")
    assert names_in(section(text, "mask")) == ["b", "c"]
    assert "1 of withdrawn samples are never shown." in section(text, "mask")
    assert outcome.json["html"]["groups"]["mask"]["withdrawn"] == 1


def test_samples_that_are_restricted_before_or_after_are_left_out(changed: Path) -> None:
    entry = changed / f"registry/subsets/{NAME}.yaml"
    values = yaml.safe_load(entry.read_text())
    values["provenance"] = {"exceptions": [{"samples": ["a"], "restrictions": ["internal"]}]}
    entry.write_text(yaml.safe_dump(values))
    old, new = open_at(changed, "HEAD"), Catalog(changed)
    changes = compare(old, new).changes
    for states in ((old, new), (new, old)):
        found = compare(*states).changes
        groups = choose_changes(*states, found, [], left_out={Restriction.INTERNAL})
        assert (groups[0].kind, groups[0].total, groups[0].restricted) == (ChangeKind.MASK, 3, 1)
        assert "a" not in {change.sample.place.stem for change in groups[0].changes}
    assert choose_changes(old, new, changes, [])[0].restricted == 0


def test_summary_has_totals_and_charts_with_numbers(changed: Path) -> None:
    old, new = open_at(changed, "HEAD"), Catalog(changed)
    summary = summarize(old, new, compute_drift(old, new), "en")
    numbers = {total.name: (total.before, total.after, total.change) for total in summary.totals}
    assert numbers["samples"] == (4, 6, "+2")
    assert numbers["train"] == (4, 4, "")
    assert numbers["val"] == (0, 2, "+2")
    assert numbers["subsets"] == (1, 1, "")
    images = summary.charts[0]
    assert "ski multi train before 2, after 1 (−1)" in images.svg
    chinese = summarize(old, new, compute_drift(old, new), "zh").charts[0]
    assert "滑雪 多人 train 之前 2" in chinese.svg


def photo(seed: int) -> Photo:
    return Photo(4, 3, bytes([seed]), b"mask")


def test_texts_of_other_people_are_only_text() -> None:
    item = PictureChange(
        ChangeKind.IMAGE,
        HOSTILE,
        HOSTILE,
        (HOSTILE,),
        before=photo(1),
        after=photo(2),
        problems=(HOSTILE,),
    )
    groups = [PictureGroup(ChangeKind.IMAGE, [item], 1, 0, 0)]
    names = StateName(HOSTILE), StateName("")
    diff = Diff(subsets_added=[HOSTILE])
    shown = diff_page(DiffPage(*names, "zh", str, diff, PictureDiff(groups), warnings=[HOSTILE]))
    parsed = Parsed(shown)
    assert len(parsed.named("script")) == 1
    assert parsed.named("html") == [{"lang": "zh-CN"}]
    assert "alert(1)</script>" not in shown
    assert shown == diff_page(
        DiffPage(*names, "zh", str, diff, PictureDiff(groups), warnings=[HOSTILE])
    )


def test_fragment_names_the_pictures_as_a_site_stores_them() -> None:
    stored: dict[str, bytes] = {}

    def href(kind: str, data: bytes) -> str:
        name = f"pictures/{md5_of(data)}.{kind}"
        stored[name] = data
        return name

    same = photo(1)
    item = PictureChange(
        ChangeKind.MASK, "s/train/a", iou=0.5, before=same, after=same, marks=b"marks"
    )
    diff = PictureDiff([PictureGroup(ChangeKind.MASK, [item], 9, 0, 0)], masks=9, compared=1)
    text = changes_html(diff, href, "en")
    assert {image["href"] for image in Parsed(text).named("image")} == set(stored)
    assert set(stored.values()) == {same.webp, same.mask, b"marks"}
    assert "The IoU of 1 of 9 changed masks is known" in text
    assert "style=" not in text
    assert "<script" not in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("diff HEAD --html photo.png", "end the name with .html"),
        ("diff HEAD --html registry/x.html", "write it to another folder"),
        ("diff HEAD --html README.html", "exists and was not written by"),
        ("diff HEAD --open", "add --html FILE"),
        ("diff HEAD --limit 3", "add --html FILE"),
        ("diff HEAD --html x.html --limit 0", "whole number"),
        ("review HEAD --html README.html", "exists and was not written by"),
        ("review HEAD --open", "add --html FILE"),
        ("review HEAD --fetch", "add --html FILE"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    words: str, message: str, registry: Path, sceneset: Run
) -> None:
    (registry / "README.html").write_text("mine")
    outcome = sceneset(*words.split(), cwd=registry)
    assert outcome.code == 2
    assert message in outcome.err
    assert (registry / "README.html").read_text() == "mine"


def test_page_without_changes_says_so_and_is_replaced(
    registry: Path, page: Path, sceneset: Run
) -> None:
    for _ in range(2):
        outcome = sceneset("diff", "HEAD", "HEAD", "--html", page, cwd=registry)
        assert outcome.code == 0, outcome.err
    assert "No sample differs." in page.read_text("utf-8")


def test_review_shows_findings_with_pictures_and_leaks_side_by_side(
    changed: Path, page: Path, sceneset: Run
) -> None:
    outcome = sceneset("review", "HEAD", "--html", page, "--json", cwd=changed)
    assert outcome.code == 1
    rules = outcome.json["html"]["findings"]["rules"]
    assert rules["leak-bytes"] == {"total": 1, "shown": 1}
    text = page.read_text("utf-8")
    _, _, leak = text.partition("<code>leak-bytes</code>")
    leak = leak.partition("</section>")[0]
    assert re.findall(r'aria-label="(.*?)"', leak) == [
        f"{NAME}/val/twin: {NAME}/val/twin",
        f"{NAME}/val/twin: {NAME}/train/b",
    ]
    assert "has the same bytes as the training image" in leak
    assert "✗ Not ready to merge" in text
    assert names_in(section(text, "mask")) == ["a", "b", "c"]
    assert outcome.json["html"]["groups"]["mask"]["shown"] == 3
    assert outcome.json["html"]["findings"]["drawn"] >= 2


def test_review_has_whose_data_it_is_before_and_after(
    changed: Path, page: Path, sceneset: Run
) -> None:
    entry = changed / f"registry/subsets/{NAME}.yaml"
    values = yaml.safe_load(entry.read_text())
    values["provenance"] = {"licence": "CC0-1.0", "origin": {"kind": "vendor", "name": "A <b>"}}
    entry.write_text(yaml.safe_dump(values))
    outcome = sceneset("review", "HEAD", "--html", page, "--rule", "leak-near", cwd=changed)
    text = page.read_text("utf-8")
    _, _, owned = text.partition("<h2>Whose data it is</h2>")
    owned = owned.partition("</section>")[0]
    cells = re.findall(r"<td><bdi>(.*?)</bdi></td>", owned)
    assert cells[:4] == [PROVENANCE["licence"], "CC0-1.0", "drawn, tests", "vendor, A &lt;b&gt;"]
    assert "leak-bytes" not in text, "--rule selects the findings"
    assert outcome.out.startswith("## sceneset"), "the Markdown is printed as before"
    states = Catalog(changed), Catalog(changed)
    result = Review([], [], diff=Diff(subsets_added=[NAME]))
    [subset] = subset_provenances(*states, result, "zh")
    assert (subset.name, subset.is_new) == (NAME, True)
    assert subset.facts[0] == ("许可", "", "CC0-1.0")


def test_review_writes_findings_when_the_base_cannot_be_compared(
    changed: Path, page: Path, sceneset: Run
) -> None:
    scan = changed / f"registry/scans/{NAME}.parquet"
    good = scan.read_bytes()
    scan.write_bytes(b"broken")
    git(changed, "add", "--all")
    git(changed, "commit", "--quiet", "--message", "Broken")
    scan.write_bytes(good)
    outcome = sceneset("review", "HEAD", "--html", page, cwd=changed)
    assert outcome.code == 1
    text = page.read_text("utf-8")
    assert "the changes since HEAD can&#39;t be shown, because HEAD has an error" in text
    assert "<code>leak-bytes</code>" in text
    assert "changes-mask" not in text
