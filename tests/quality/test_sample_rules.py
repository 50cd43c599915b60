"""Every rule is broken by a file, told by its code, and silent about files that are good."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw

from sceneset import Registry
from sceneset.delivery.read import read_delivery
from sceneset.delivery.types import Request
from sceneset.schemas.finding import Finding
from sceneset.schemas.params import Params
from sceneset.schemas.rules import GROUPS, RULES, Freedom, Severity
from sceneset.schemas.terms import Kind
from sceneset.storage.locking import writing
from support.build import NAME, ROOT, Run

SIZE = (160, 120)
IMAGE, MASK = Path("img_dir/train/a.jpg"), Path("ann_dir/train/a.png")
IN_WORDS = {rule.code for name in ("images", "masks", "names") for rule in GROUPS[name]}


def picture(seed: int = 1) -> Image.Image:
    low = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(low).resize(SIZE, Image.Resampling.BICUBIC)


def mask(box: tuple[int, int, int, int] = (40, 20, 110, 100)) -> Image.Image:
    drawn = Image.new("L", SIZE)
    ImageDraw.Draw(drawn).ellipse(box, fill=1)
    return drawn


def good(folder: Path) -> Path:
    """Write a delivery of two samples that no rule finds anything in."""
    for seed, stem in enumerate("ab"):
        for name, file in ((IMAGE, picture(seed)), (MASK, mask())):
            path = (folder / name).with_stem(stem)
            path.parent.mkdir(parents=True, exist_ok=True)
            file.save(path, **({"quality": 92} if path.suffix == ".jpg" else {}))
    (folder / "split_dir").mkdir()
    for name, lines in (("total.txt", "a\nb\n"), ("ski.txt", "a\nb\n")):
        (folder / "split_dir" / name).write_text(lines)
    return folder


def told(folder: Path, kind: Kind | None = None) -> list[Finding]:
    brought = (folder.parent / "entry.yaml", folder.parent / "tags.csv")
    files = (file if file.exists() else None for file in brought)
    request = Request(folder, NAME, kind, *files)
    return read_delivery(request, plain_registry(), lambda items, _: items).findings


def plain_registry() -> Registry:
    """Return this registry with the settings that one begins with."""
    registry = Registry(ROOT)
    registry.params = Params()
    return registry


def saved(path: Path, **how: object) -> Callable[[Path], None]:
    return lambda folder: picture().save(folder / path, **how)  # type: ignore[arg-type]


def masked(change: Callable[[Image.Image], Image.Image | None]) -> Callable[[Path], None]:
    """Change the mask in place, or put another one there."""

    def broken(folder: Path) -> None:
        drawn = Image.open(folder / MASK)
        drawn.load()
        (change(drawn) or drawn).save(folder / MASK)

    return broken


def drawn(shape: str, *where: object, fill: int = 1) -> Callable[[Path], None]:
    return masked(lambda m: getattr(ImageDraw.Draw(m), shape)(*where, fill=fill))


def renamed(stem: str) -> Callable[[Path], None]:
    def broken(folder: Path) -> None:
        for path in (IMAGE, MASK):
            (folder / path).rename((folder / path).with_name(stem + path.suffix))
        for file in (folder / "split_dir").iterdir():
            file.write_text(file.read_text().replace("a\n", f"{stem}\n"))

    return broken


def exif(**tags: object) -> bytes:
    data = Image.Exif()
    for name, value in tags.items():
        if name == "gps":
            data.get_ifd(0x8825)[1] = value
        else:
            data[{"orientation": 0x0112, "artist": 0x013B}[name]] = value
    return data.tobytes()


def profile(space: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()


def cut(folder: Path) -> None:
    data = (folder / IMAGE).read_bytes()
    (folder / IMAGE).write_bytes(data[: len(data) // 2])


def after_the_end(folder: Path) -> None:
    with (folder / IMAGE).open("ab") as file:
        file.write(b"x" * 512)


def broken_exif(folder: Path) -> None:
    picture().save(folder / IMAGE, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")


def flat(folder: Path) -> None:
    blank = picture()
    ImageDraw.Draw(blank).rectangle((30, 10, 120, 110), fill=(90, 90, 90))
    blank.save(folder / IMAGE, quality=95)


def lines(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "split_dir" / name).write_text(text, newline="") and None


def tags(text: str) -> Callable[[Path], None]:
    head = "phase,stem,scenes,persons,boxes,source,origin\n"
    return lambda folder: (folder.parent / "tags.csv").write_text(head + text) and None


def removed(path: Path) -> Callable[[Path], None]:
    return lambda folder: (folder / path).unlink()


BREAKS: dict[str, Callable[[Path], None]] = {
    "image-unreadable": cut,
    "image-format": saved(IMAGE, format="PNG"),
    "image-too-large": lambda f: Image.new("L", (9000, 9000)).save(f / IMAGE),
    "image-too-small": lambda f: Image.new("RGB", (7, 120)).save(f / IMAGE),
    "image-mode": lambda f: picture().convert("L").save(f / IMAGE),
    "image-orientation": saved(IMAGE, exif=exif(orientation=6)),
    "image-gps": saved(IMAGE, exif=exif(gps="N")),
    "image-personal": saved(IMAGE, exif=exif(artist="Somebody")),
    "image-profile": saved(IMAGE, icc_profile=profile("LAB")),
    "image-frames": lambda f: picture().save(
        f / IMAGE, format="MPO", save_all=True, append_images=[picture(5)]
    ),
    "image-metadata": broken_exif,
    "image-trailing": after_the_end,
    "image-progressive": saved(IMAGE, progressive=True),
    "size-differs": masked(lambda m: m.resize((80, 60))),
    "mask-mode": masked(lambda m: m.convert("P")),
    "mask-values": masked(lambda m: m.point([0, 15, *[0] * 254])),
    "mask-soft": masked(lambda m: m.point([0, 250, *[0] * 254]).resize((20, 15)).resize(SIZE)),
    "mask-0-255": masked(lambda m: m.point([0, 255, *[0] * 254])),
    "mask-empty": masked(lambda _: Image.new("L", SIZE)),
    "mask-full": masked(lambda _: Image.new("L", SIZE, 1)),
    "mask-ignored": drawn("rectangle", (0, 0, 159, 60), fill=255),
    "mask-specks": drawn("point", (5, 5)),
    "mask-holes": drawn("point", (75, 60), fill=0),
    "mask-coarse": masked(lambda _: _polygon()),
    "mask-on-nothing": flat,
    "mask-cut": masked(lambda _: mask((-20, 20, 60, 100))),
    "stem-unsafe": renamed("con"),
    "name-dot": renamed("clip.v2"),
    "name-space": renamed("a (copy)"),
    "name-normal-form": renamed("cafe\u0301"),
    "name-windows": renamed("a:b"),
    "layout": lambda f: (f / "ann_dir").rename(f / "masks") and None,
    "stray-file": lambda f: (f / "notes.docx").write_text("x") and None,
    "junk-file": lambda f: (f / ".DS_Store").write_text("x") and None,
    "suffix": lambda f: (f / IMAGE).rename((f / IMAGE).with_suffix(".JPG")) and None,
    "mask-missing": removed(MASK),
    "image-missing": removed(IMAGE),
    "split-encoding": lines("ski.txt", "\ufeffa\nb\n"),
    "split-line-ends": lines("ski.txt", "a\r\nb\r\n"),
    "split-blank-line": lines("ski.txt", "a\n\nb\n"),
    "split-unsafe-line": lines("ski.txt", "../a\nb\n"),
    "split-duplicate-line": lines("ski.txt", "a\na\nb\n"),
    "split-unknown-stem": lines("ski.txt", "a\nb\nc\n"),
    "split-incomplete": lines("total.txt", "a\n"),
    "split-differs": tags("train,a,ski,,,,\ntrain,b,,,,,\n"),
    "unknown-split-file": lines("skii.txt", "a\n"),
    "no-scene": lines("ski.txt", "a\n"),
    "person-small": masked(lambda _: mask((40, 20, 50, 30))),
    "persons-untold": lambda f: (
        tags(ALL_SINGLE)(f) or ((f.parent / "entry.yaml").write_text(ENTRY) and None)
    ),
    "person-scattered": lambda f: tags(ALL_SINGLE)(f) or masked(_pieces)(f),
    "crop-multi": tags("train,a,ski,multi,1,x,0 0 9 9\ntrain,b,ski,,1,y,0 0 9 9\n"),
    "crop-boxes": tags("train,a,ski,,,x,0 0 9 9\ntrain,b,ski,,1,y,0 0 9 9\n"),
    "crop-origin": tags("train,a,ski,,1,x,\ntrain,b,ski,,1,y,0 0 9 9\n"),
    "crop-overlap": tags("train,a,ski,,1,x,0 0 90 90\ntrain,b,ski,,1,x,40 40 99 99\n"),
}


ENTRY = "splits:\n  - {scene: ski, file: ski.txt}\n  - {scene: total, file: total.txt}\n"
ALL_SINGLE = "train,a,ski,single,,,\ntrain,b,ski,single,,,\n"


def _pieces(mask: Image.Image) -> Image.Image:
    pieces = Image.new("L", mask.size)
    for left in (10, 60, 110):
        ImageDraw.Draw(pieces).ellipse((left, 30, left + 40, 80), fill=1)
    return pieces


def _polygon() -> Image.Image:
    shape = Image.new("L", SIZE)
    ImageDraw.Draw(shape).polygon([(40, 20), (120, 40), (100, 100), (30, 80)], fill=1)
    return shape


@pytest.mark.parametrize("code", BREAKS)
def test_a_file_that_breaks_it(code: str, tmp_path: Path) -> None:
    folder = good(tmp_path / "d")
    BREAKS[code](folder)
    kind = Kind.CROP if code.startswith("crop-") else None
    notes = RULES[code].severity is Severity.NOTE
    found = _notes(folder) if notes else told(folder, kind)
    [first, *_] = [p for p in found if p.code == code]
    assert first.severity is RULES[code].severity
    assert first.file
    assert first.message
    assert first.hint or first.severity is not Severity.ERROR


def _notes(folder: Path) -> list[Finding]:
    """Return the notes on a delivery, which an add does not show."""
    from sceneset.catalog.scan_table import table_of
    from sceneset.quality.sample_rules import sample_findings

    request = Request(folder, NAME, None)
    rows = read_delivery(request, plain_registry(), lambda items, _: items).rows
    return list(sample_findings(table_of(rows, 1), Params(), notes=True))


def test_good_files_are_told_nothing(tmp_path: Path) -> None:
    assert told(good(tmp_path / "d")) == []
    assert _notes(tmp_path / "d") == []


def test_every_rule_on_files_has_one_that_breaks_it() -> None:
    covered = {"image-" in code or code in BREAKS for code in IN_WORDS - BREAKS.keys()}
    elsewhere = {"mask-disagrees", "stem-duplicate"}
    assert BREAKS.keys() >= IN_WORDS - elsewhere, covered
    texts = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    assert [code for code in RULES if f'"{code}"' not in texts and f"[{code}]" not in texts] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_teaches(rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.code)
    assert rule.meaning[0].islower()
    assert not rule.meaning.endswith(".")
    assert len(rule.help) > 15
    assert rule.help.endswith(".")


def test_rules_on_the_command_line(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    params = registry / "params.yaml"
    params.write_text(
        params.read_text().replace("rules: {}", "rules:\n  mask-empty: error\n  image-gps: off")
    )
    shown = sceneset("rules", "--json", cwd=registry).json
    here = {rule["code"]: rule["here"] for rule in shown}
    assert list(here) == list(RULES)
    assert (here["mask-empty"], here["image-gps"], here["mask-full"]) == ("error", "off", "warning")
    table = sceneset("rules", cwd=tmp_path).out  # outside of a registry too
    assert len(table.splitlines()) == len(RULES) + 1
    long = sceneset("rules", "leak-near", cwd=registry).out
    assert RULES["leak-near"].help in long
    wrong = sceneset("rules", "mask-emty", cwd=registry)
    assert (wrong.code, "mask-empty" in wrong.err) == (2, True)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("mask-emty: error", "did you mean mask-empty"),
        ("leak-bytes: warning", "can't be set"),
        ("mask-empty: fatal", "error"),
    ],
)
def test_what_can_t_be_set(rules: str, said: str, registry: Path, sceneset: Run) -> None:
    params = registry / "params.yaml"
    params.write_text(params.read_text().replace("rules: {}", f"rules: {{{rules}}}"))
    outcome = sceneset("check", cwd=registry)
    assert outcome.code == 1
    assert said in outcome.out


def waive(root: Path, *waivers: dict[str, str]) -> None:
    rows = [{"reason": "looked at", "date": "2026-01-02", **waiver} for waiver in waivers]
    (root / "registry/waivers.yaml").write_text(json.dumps({"waivers": rows}))  # JSON is YAML


def test_severities_and_waivers(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    params = registry / "params.yaml"
    params.write_text(params.read_text().replace("rules: {}", "rules: {image-mode: off}"))
    folder = good(tmp_path / "d")
    BREAKS["mask-empty"](folder)
    assert sceneset("add", folder, "--name", NAME, cwd=registry).code == 0
    assert [p["code"] for p in sceneset("check", "--json", cwd=registry).json] == ["mask-empty"]
    params.write_text(params.read_text().replace("off", "off, mask-empty: error"))
    assert sceneset("check", cwd=registry).code == 1
    waive(registry, {"code": "mask-empty", "subset": NAME, "sample": "train/a"})
    outcome = sceneset("check", cwd=registry)
    assert (outcome.code, outcome.out) == (0, "")
    assert "1 waived" in outcome.err
    [found] = sceneset("check", "--json", cwd=registry).json
    assert (found["severity"], found["waived"]) == ("error", "looked at")
    # A waiver that accepts nothing is told, and one of another sample accepts nothing.
    waive(registry, {"code": "mask-empty", "subset": NAME, "sample": "train/b"})
    outcome = sceneset("check", cwd=registry)
    assert outcome.code == 1
    assert "[waiver-stale]" in outcome.out
    waive(registry, {"code": "leak-bytes", "subset": NAME, "sample": "train/b"})
    assert "can't be waived" in sceneset("check", cwd=registry).out


def test_a_delivery_is_weighed_as_the_registry_says(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    params = registry / "params.yaml"
    params.write_text(params.read_text().replace("rules: {}", "rules: {image-gps: error}"))
    folder = good(tmp_path / "d")
    BREAKS["image-gps"](folder)
    words = ("add", folder, "--name", NAME, "--json")
    assert sceneset(*words, cwd=registry).json["taken"] is False
    left = sceneset(*words, "--quarantine", tmp_path / "left", "--dry-run", cwd=registry).json
    assert (left["samples"], left["left_out"]) == (1, 1)
    waive(registry, {"code": "image-gps", "subset": NAME, "sample": "train/a"})
    assert sceneset(*words, cwd=registry).json["samples"] == 2


def test_sarif_and_markdown(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    folder = good(tmp_path / "d")
    BREAKS["mask-empty"](folder)
    renamed("滑雪 <b>|x")(folder)
    assert sceneset("add", folder, "--name", NAME, cwd=registry).code == 0
    waive(registry, {"code": "mask-empty", "subset": NAME, "sample": "train/滑雪 <b>|x"})
    log = sceneset("check", "--sarif", cwd=registry).json
    [run] = log["runs"]
    assert (log["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "sceneset")
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        [place] = result["locations"]
        uri = place["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[\x21-\x7e]+", uri)
    [waived] = [r for r in run["results"] if "suppressions" in r]
    assert waived["suppressions"] == [{"kind": "external", "justification": "looked at"}]
    page = sceneset("check", "--markdown", cwd=registry).out
    assert "| ⚠️ | `name-space`: a stem holds white space | 1 |" in page
    assert "| | waived | 1 |" in page
    assert "<b>" not in page.replace("\\<b\\>", "").replace("`` ", "").split("<details>")[0]
    assert "\\<b\\>\\|x" in page


def test_fixed_rules_say_so() -> None:
    fixed = {code for code, rule in RULES.items() if rule.freedom is Freedom.FIXED}
    assert {"leak-bytes", "leak-pixels", "leak-tested", "size-differs", "image-unreadable"} <= fixed
    assert "leak-near" not in fixed


def test_texts_that_do_not_agree(added: Path, sceneset: Run) -> None:
    tags = added / f"registry/tags/{NAME}.csv"
    tags.write_text(tags.read_text().replace("train,a,ski", "train,a,ski;city"))
    (added / "registry/tags/CustomSeg_Person_20240101_gone.csv").write_text("phase,stem\n")
    found = {p["code"] for p in sceneset("check", "--json", cwd=added).json}
    assert found >= {"row-missing", "not-registered"}


def test_two_that_write(added: Path, tmp_path: Path, sceneset: Run) -> None:
    with writing(Registry(added).paths.work):
        outcome = sceneset("forget", f"{NAME}/train/a", "--reason", "x", cwd=added)
    assert outcome.code == 1
    assert "[locked]" in outcome.err
