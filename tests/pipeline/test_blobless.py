"""A clone downloads only what a command needs, counted in the requests of a real S3 server."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from support.build import NAME, Outcome, dvc, git, make_delivery, snapshot, write_image
from support.servers import BUCKET, KEYS, S3, s3_server

TEXT_STAGES = ("check", "splits", "stats", "leakage", "manifest", "card")
OTHER = NAME.replace("web", "more")


def objects(server: S3, method: str) -> list[str]:
    """Return the blobs requested since the server started, without requests about the bucket."""
    return [path for path in server.requests(method) if "/files/md5/" in path.partition("?")[0]]


def test_clone_downloads_only_the_blobs_of_the_pulled_subset_when_stages_ran_without_blobs(
    added: Path, tmp_path: Path, sceneset: Callable[..., Outcome]
) -> None:
    delivery = make_delivery(tmp_path / "more", train=("m", "n"), splits={"sea.txt": ("m", "n")})
    for seed, stem in enumerate("mn", 90):
        write_image(delivery / f"img_dir/train/{stem}.jpg", seed)
    with s3_server("moto", tmp_path / "s3") as server:
        remote = ("remote", f"s3://{BUCKET}/people", "--endpoint", server.url, "--no-check")
        assert sceneset(*remote, cwd=added).code == 0
        git(added, "commit", "--quiet", "--all", "--message", "A remote")
        dvc(added, "push", env=KEYS)
        # Four images, one mask that they all share, and the listings of two folders.
        assert len(set(objects(server, "PUT"))) == 4 + 1 + 2

        clone = tmp_path / "clone"
        git(added, "clone", "--quiet", ".", str(clone))
        requests_before = [len(objects(server, method)) for method in ("GET", "HEAD")]
        for words in (("lookup", "ski"), ("check",), ("show", "web"), ("scenes",)):
            assert sceneset(*words, cwd=clone).code == 0
        before = snapshot(clone)
        forced = ("check", f"splits@{NAME}", "stats", "leakage", "manifest", "card")
        dvc(clone, "repro", "--single-item", "--force", *forced, env=KEYS)
        assert snapshot(clone) == before, (
            "every stage after scan gives the same bytes without blobs"
        )
        dvc(clone, "status", "--quiet", *TEXT_STAGES)
        tags = clone / f"registry/tags/{NAME}.csv"
        tags.write_text(tags.read_text().replace("train,a,ski,single", "train,a,ski,multi"))
        assert "Running stage 'scan@" not in dvc(clone, "repro", "--allow-missing", env=KEYS).out
        assert sceneset("add", delivery, "--name", OTHER, cwd=clone).code == 0
        assert f"'scan@{OTHER}'" in dvc(clone, "repro", "--allow-missing", env=KEYS).out
        assert [len(objects(server, method)) for method in ("GET", "HEAD")] == requests_before
        dvc(clone, "status", "--quiet", *TEXT_STAGES)
        assert not (clone / f"Insta360SemanticSeg/{NAME}/img_dir").exists()
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--message", "Add a subset")
        dvc(clone, "push", env=KEYS)
        assert len(set(objects(server, "PUT"))) == 7 + 2 + 2, "the mask is on the remote already"

        # Pull one of the two subsets: all of its blobs, and none of the other's.
        downloads_before = len(objects(server, "GET"))
        folders = [f"Insta360SemanticSeg/{OTHER}/{name}.dvc" for name in ("img_dir", "ann_dir")]
        second = tmp_path / "second"
        git(clone, "clone", "--quiet", ".", str(second))
        dvc(second, "pull", *folders, env=KEYS)
        fetched = Counter(objects(server, "GET")[downloads_before:])
        assert len(fetched) == 2 + 1 + 2
        assert {n for path, n in fetched.items() if not path.endswith(".dir")} == {1}, fetched
        for folder in ("img_dir/train/m.jpg", "ann_dir/train/n.png"):
            path = f"Insta360SemanticSeg/{OTHER}/{folder}"
            assert (second / path).read_bytes() == (clone / path).read_bytes()
        assert not (second / f"Insta360SemanticSeg/{NAME}/img_dir").exists()
