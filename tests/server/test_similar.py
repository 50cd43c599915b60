"""Similar samples in the live catalogue, by vectors from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sceneset.catalog.reader import Catalog
from sceneset.errors import UsageError
from sceneset.server import state as server_state
from sceneset.server.similar import SimilarSamples
from support.build import NAME, Run
from support.served import Server, served
from support.vectors import write_vectors

ROWS = [[1, 0], [1, 0.2], [0, 1]]


@pytest.fixture
def similar(added: Path) -> SimilarSamples:
    path = write_vectors(added.parent / "v.parquet", {"stem": list("abc")}, ROWS)
    return SimilarSamples.read(path, Catalog(added))


@pytest.fixture
def server(added: Path, similar: SimilarSamples, monkeypatch) -> Iterator[Server]:
    monkeypatch.setattr(server_state, "_LOOK_AGAIN", 0)
    with served(added, similar=similar) as found:
        yield found


def test_api_lists_similar_samples(server: Server):
    for _ in range(2):  # the second answer is kept from the first one
        answer = server.get(f"/api/similar/{NAME}/train/a")
        assert answer.status == 200
        found = [(one["sample"]["stem"], one["similarity"]) for one in answer.json]
        assert found == [("b", 0.9806), ("c", 0.0)]
    assert answer.json[0]["sample"]["thumb"] == f"/thumbs/{NAME}/train/b"
    assert len(server.get(f"/api/similar/{NAME}/train/a?limit=1").json) == 1
    assert server.get(f"/api/similar/{NAME}/train/a?limit=0").status == 422


def test_api_lists_nothing_for_a_sample_without_a_vector(server: Server):
    answer = server.get(f"/api/similar/{NAME}/train/d")
    assert (answer.status, answer.json) == (200, [])
    assert server.get(f"/api/similar/{NAME}/train/z").status == 404


def test_api_leaves_out_samples_that_were_removed(server: Server, added: Path, sceneset: Run):
    assert sceneset("drop", "--match", "b", "--reason", "blurred", cwd=added).code == 0
    found = server.get(f"/api/similar/{NAME}/train/a").json
    assert [one["sample"]["stem"] for one in found] == ["c"]
    assert server.get(f"/api/similar/{NAME}/train/b").status == 404


def test_api_has_no_similar_samples_without_vectors(added: Path):
    with served(added) as server:
        answer = server.get(f"/api/similar/{NAME}/train/a")
        assert answer.status == 404
        assert "serve --vectors" in answer.json["detail"]
        assert '"similar": false' in server.get("/en/search.html").text


def test_page_knows_that_there_are_similar_samples(server: Server):
    assert '"similar": true' in server.get("/en/search.html").text


def test_serve_refuses_a_file_without_vectors(added: Path, sceneset: Run):
    done = sceneset("serve", "--vectors", "params.yaml", "--port", "0", cwd=added)
    assert done.code == 2
    assert "params.yaml can't be read as Parquet" in done.err
    path = write_vectors(added.parent / "v.parquet", {"stem": ["z"]}, [[1, 0]])
    with pytest.raises(UsageError, match="no usable vector"):
        SimilarSamples.read(path, Catalog(added))
