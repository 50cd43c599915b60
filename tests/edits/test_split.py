"""`sceneset split`: no relation crosses the sides, whatever the seed, and shares are near."""

import random
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from sceneset.catalog.reader import Catalog
from sceneset.catalog.sample_choice import Chosen, Key
from sceneset.cli.main import main
from sceneset.edits.draft import Draft
from sceneset.edits.samples import change_samples, move_samples
from sceneset.edits.split_samples import Proposal, SplitOptions, propose_split
from sceneset.errors import UsageError
from sceneset.quality import tested_images
from sceneset.quality.leakage import find_leakage
from sceneset.schemas.terms import Persons, Phase
from support.build import NAME, SHARED, Run, dvc, git, needs_shared, write_mask

OTHER = NAME.replace("web", "phone")
SIZE = (64, 48)
LEAKS = {"leak-bytes", "leak-pixels", "leak-near", "leak-source", "leak-review"}
SHARES = {Phase.TRAIN: 0.7, Phase.VAL: 0.2, Phase.TEST: 0.1}


def picture(seed: int) -> Image.Image:
    """Return a picture with structure at several scales, which no other seed resembles."""
    draw = np.random.default_rng(seed)
    layers = [
        np.asarray(Image.fromarray(draw.integers(0, 256, (n, n, 3), np.uint8)).resize(SIZE, 3))
        for n in (3, 6, 12)
    ]
    return Image.fromarray(np.mean(layers, axis=0).astype(np.uint8))


def drawn_pictures() -> dict[str, tuple[Image.Image, str, str]]:
    """Return pictures with their tags and source, by stem."""
    found = {}
    for number in range(60):  # single pictures of two scenes, some of them in both
        scenes = ("ski", "city", "ski;city")[number % 3 if number < 30 else number % 2]
        persons = "multi" if number % 4 else "single"
        found[f"one{number}x"] = (picture(number), f"{scenes},{persons},", "")
    for clip in range(10):  # frames of a clip: neighbours are similar, the first and last do not
        start, end = picture(100 + clip), picture(200 + clip)
        for frame in range(4):
            mixed = Image.blend(start, end, frame / 40)
            found[f"clip{clip}_{frame:03}"] = (mixed, ("ski,multi,", "city,single,")[clip % 2], "")
    for video in range(8):  # frames that only share a source, in two spellings
        for frame, source in enumerate((f"Video {video}", f"video_{video}")):
            shot = picture(300 + 10 * video + frame)
            found[f"video{video}x{frame}x"] = (shot, "city,multi,", source)
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.TRANSPOSE)
    for number, turn in enumerate(turns):
        found[f"turned{number}x"] = (picture(number).transpose(turn), "ski,single,", "")
    found["mirrored"] = (ImageOps.mirror(picture(5)), "city,single,", "")
    for frame in range(5):
        mixed = Image.blend(picture(500), picture(501), frame / 40)
        found[f"surf_{frame}"] = (mixed, "surfing,single,", "")
    return found


def deliver(root: Path, folder: Path, name: str, phases: dict[str, dict[str, Image.Image]]) -> None:
    """Add pictures by phase and stem as a subset."""
    for phase, pictures in phases.items():
        (folder / "img_dir" / phase).mkdir(parents=True)
        for stem, image in pictures.items():
            image.convert("RGB").save(folder / f"img_dir/{phase}/{stem}.png", compress_level=1)
            write_mask(folder / f"ann_dir/{phase}/{stem}.png", image.size)
    with chdir(root):
        assert main(["add", str(folder), "--name", name]) == 0


@pytest.fixture(scope="module")
def _clips(tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    root = Path(shutil.copytree(_empty_registry, folder / "registry", symlinks=True))
    pictures = drawn_pictures()
    order = random.Random(5).sample(sorted(pictures), len(pictures))
    deliver(root, folder / "one", NAME, {"train": {stem: pictures[stem][0] for stem in order}})
    rows = [f"train,{stem},{tags},{source}" for stem, (_, tags, source) in pictures.items()]
    text = "\n".join(["phase,stem,scenes,persons,boxes,source", *rows, ""])
    (root / f"registry/tags/{NAME}.csv").write_text(text)
    held = {
        "held": ImageOps.mirror(picture(7)),
        "clip3_009": Image.blend(*map(picture, (103, 203)), 0.1),
    }
    fixed = {"resized": picture(8).resize((128, 96))}
    deliver(root, folder / "two", OTHER, {"val": held, "train": fixed})
    return root


@pytest.fixture
def clips(_clips: Path) -> Catalog:
    """A registry with clips, copies and sources in train, and a second subset with relatives."""
    return Catalog(_clips)


def chosen_of(catalog: Catalog, *names: str) -> Chosen:
    return {name: {tag.key for tag in catalog.tags(name)} for name in names or (NAME,)}


def leaks_after(catalog: Catalog, moves: dict[str, dict[Key, Phase]]) -> set[str]:
    """Return the codes of the findings on leakage that a registry has with samples moved."""
    draft = Draft(catalog.paths)
    move_samples(catalog, draft, moves)
    with draft.as_catalog(catalog) as changed:
        return {found.code for found in find_leakage(changed)} & LEAKS


def phases_by_stem(proposal: Proposal) -> dict[str, Phase]:
    return {placed.key[1]: placed.to for placed in proposal.samples}


@pytest.mark.parametrize("seed", range(6))
def test_no_side_leaks_at_any_seed_where_random_splits_do(clips: Catalog, seed: int) -> None:
    options = SplitOptions(SHARES, ("scene", "persons"), seed=seed)
    proposal = propose_split(clips, chosen_of(clips), options)
    assert leaks_after(clips, proposal.moves) == set()
    draw = random.Random(seed)
    keys = sorted(clips.tags(NAME), key=lambda tag: tag.key)
    held_out = draw.sample(keys, round(0.3 * len(keys)))
    by_chance = {tag.key: draw.choice([Phase.VAL, Phase.TEST]) for tag in held_out}
    assert leaks_after(clips, {NAME: by_chance}) >= {"leak-near", "leak-source"}


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_near_or_have_a_reason(clips: Catalog, seed: int) -> None:
    options = SplitOptions(SHARES, ("scene", "persons"), seed=seed)
    shares = propose_split(clips, chosen_of(clips), options).shares
    assert [(s.scene, s.persons) for s in shares[:3]] == [
        ("total", None),
        ("city", None),
        ("city", Persons.MULTI),
    ]
    for found in shares:
        worst = max(abs(found.reached[phase] - SHARES[phase]) for phase in Phase)
        assert (worst <= max(0.02, 0.5 / found.images) + 1e-9) == (not found.reason)
    by_scene = {found.scene: found for found in shares if not found.persons}
    assert not by_scene["total"].reason
    assert not by_scene["city"].reason
    surf = by_scene["surfing"]
    assert (surf.images, surf.groups) == (5, 1)
    assert surf.reason == "its largest group holds 100 %"


def test_the_same_seed_gives_the_same_split_whatever_files_are_called(clips: Catalog) -> None:
    """The single pictures exchange their names, so that all files are in another order."""
    stems = [f"one{number}x" for number in range(60)]
    names = dict(zip(stems, reversed(stems), strict=True))
    one, other = (
        propose_split(clips, chosen_of(clips), SplitOptions(SHARES, seed=s)) for s in (1, 2)
    )
    assert one != other
    draft = Draft(clips.paths)
    train = Phase.TRAIN
    keys: dict[Key, Key | None] = {(train, stem): (train, name) for stem, name in names.items()}
    change_samples(clips, draft, {NAME: keys}, operation="rename")
    with draft.as_catalog(clips) as renamed:
        again = propose_split(renamed, chosen_of(renamed), SplitOptions(SHARES, seed=1))
    phases = phases_by_stem(one)
    assert phases_by_stem(again) == {names.get(stem, stem): phases[stem] for stem in phases}


def test_groups_follow_related_samples_of_other_subsets(clips: Catalog) -> None:
    """A mirror image and a frame of one clip are in val, and a larger copy is in train."""
    for seed in range(3):
        proposal = propose_split(clips, chosen_of(clips), SplitOptions(SHARES, seed=seed))
        phases = phases_by_stem(proposal)
        assert phases["one7x"] is Phase.VAL
        assert {phases[f"clip3_{frame:03}"] for frame in range(4)} == {Phase.VAL}
        assert phases["one8x"] is Phase.TRAIN


def test_a_test_image_of_a_version_and_its_relatives_stay_out_of_train(
    clips: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = tested_images.ReleasedTestImages()
    columns = clips.scan(NAME, ("stem", *tested_images.TESTED_COLUMNS))
    for row in columns.to_pylist():
        if row["stem"] in {"clip0_002", "one8x"}:
            tested.files[row["image_md5"]] = "1.0.0"
    monkeypatch.setattr("sceneset.edits.split_samples.released_test_images", lambda _: tested)
    for seed in range(4):
        proposal = propose_split(clips, chosen_of(clips), SplitOptions(SHARES, seed=seed))
        phases = phases_by_stem(proposal)
        assert proposal.tested == 2
        assert {phases[f"clip0_{frame:03}"] for frame in range(4)} <= {Phase.VAL, Phase.TEST}
        # Another subset has a copy of the second one in train: nothing is right, so it stays.
        assert phases["one8x"] is Phase.TRAIN
        [(reason, places)] = proposal.stuck.items()
        assert "was a test image" in reason
        assert places == [f"{NAME}/train/one8x"]


def test_held_out_samples_stay_and_count_unless_redo(clips: Catalog) -> None:
    chosen = chosen_of(clips, NAME, OTHER)
    kept = propose_split(clips, chosen, SplitOptions(SHARES, seed=1))
    assert kept.held == 2
    assert phases_by_stem(kept)["held"] is Phase.VAL
    placed = set()
    for seed in range(4):
        again = propose_split(clips, chosen, SplitOptions(SHARES, seed=seed, redo=True))
        assert again.held == 0
        assert leaks_after(clips, again.moves) == set()
        placed.add(phases_by_stem(again)["held"])
        assert phases_by_stem(again)["held"] is phases_by_stem(again)["one7x"]
    assert len(placed) > 1
    held = {OTHER: {key for key in chosen[OTHER] if key[0] is Phase.VAL}}
    with pytest.raises(UsageError, match="--redo"):
        propose_split(clips, held, SplitOptions(SHARES))


def test_stems_that_differ_in_the_number_only_are_one_session_if_asked(clips: Catalog) -> None:
    options = SplitOptions(SHARES, by_stem=True)
    groups = {
        placed.key[1]: placed.group
        for placed in propose_split(clips, chosen_of(clips), options).samples
    }
    assert groups["one1x"] != groups["one2x"], "their stems end with a letter"
    assert len({groups[f"surf_{frame}"] for frame in range(5)}) == 1


def test_a_proposal_changes_nothing_and_apply_makes_it(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    table = tmp_path / "split.csv"
    words = ("split", "web", "--val", "0.25", "--seed", "7")
    shown = sceneset(*words, "--to-csv", table, cwd=added)
    assert shown.code == 0, shown.err
    assert "25.0 % / 25 %" in shown.out
    assert "4 images in 4 groups of related images; 1 image gets another phase" in shown.err
    planned = {row.split(",")[2]: row.split(",")[3] for row in table.read_text().split()[1:]}
    dry = sceneset(*words, "--dry-run", "--json", cwd=added).json
    assert (dry["changed"], dry["split"]["moved"], dry["problems"]) == (False, 1, [])
    assert git(added, "status", "--porcelain") == ""
    done = sceneset(*words, "--apply", cwd=added)
    assert done.code == 0, done.err
    assert "1 sample was moved to another phase" in done.err
    assert {tag.stem: str(tag.phase) for tag in Catalog(added).tags(NAME)} == planned
    assert (added / f"Insta360SemanticSeg/{NAME}/split_dir/total_val.txt").is_file()
    assert dvc(added, "status", "--quiet", check=False).code == 0
    assert sceneset("check", cwd=added).code == 0
    again = sceneset(*words, "--json", cwd=added).json
    assert (again["split"]["held"], again["split"]["moved"]) == (1, 0)


def test_a_name_of_a_scene_and_of_a_subset_is_explained(added: Path, sceneset: Run) -> None:
    assert sceneset("scene", "alias", "ski", "web", cwd=added).code == 0
    shown = sceneset("split", "web", "--val", "0.25", cwd=added)
    assert shown.code == 0, shown.err
    assert "web is read as a scene or selection of all subsets" in shown.err
    assert f"to split {NAME}, write --subset web" in shown.err
    assert "is read as" not in sceneset("split", "skiing", "--val", "0.25", cwd=added).err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("web",), "say how many images to hold out"),
        (("web", "--val", "0.6", "--test", "0.4"), "leave nothing for train"),
        (("web", "--val", "10"), "use a number from 0 to below 1"),
        (("--val", "0.1"), "name the samples"),
        (("skii", "--val", "0.1"), "Nearest: ski"),
        (("web", "--val", "0.1", "--stratify", "colour"), "use scene, persons or both"),
        (("web", "--val", "0.1", "--seed", "-1"), "use a whole number of 0 or more"),
    ],
)
def test_wrong_use_is_explained(
    added: Path, sceneset: Run, words: tuple[str, ...], message: str
) -> None:
    outcome = sceneset("split", *words, cwd=added)
    assert outcome.code == 2
    assert message in outcome.err


def frames_of_drops() -> Iterator[tuple[str, Path]]:
    """Yield the frames of the clips of drops F and G with their stems; G repeats some of F."""
    for image in sorted((SHARED / "data/drop_F_davis").rglob("*.jpg")):
        yield f"F-{image.parent.name}-{image.stem}", image
    for image in sorted((SHARED / "data/drop_G_cutie/images").rglob("*.jpg")):
        yield f"G-{image.parent.name}-{image.stem}", image


@needs_shared
def test_clips_of_real_videos_stay_whole(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    delivery = tmp_path / "d"
    every_fourth = [frame for n, frame in enumerate(frames_of_drops()) if not n % 4]
    for stem, image in every_fourth:
        target = delivery / f"img_dir/train/{stem}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(image, target)
        with Image.open(image) as opened:
            write_mask(delivery / f"ann_dir/train/{stem}.png", opened.size)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    catalog = Catalog(registry)
    for seed in range(4):
        options = SplitOptions(SHARES, by_stem=True, seed=seed)
        proposal = propose_split(catalog, chosen_of(catalog), options)
        assert leaks_after(catalog, proposal.moves) == set()
        sides: dict[str, set[Phase]] = {}
        for placed in proposal.samples:
            sides.setdefault(placed.key[1].rpartition("-")[0], set()).add(placed.to)
        assert all(len(phases) == 1 for phases in sides.values())
        draw = random.Random(seed)
        by_chance = {key: draw.choice(list(Phase)) for key in sorted(chosen_of(catalog)[NAME])}
        assert "leak-near" in leaks_after(catalog, {NAME: by_chance})
