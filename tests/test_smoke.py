from pathlib import Path
from conftest import NAME, dvc, git


def test_added_subset_is_found(added, sceneset):
    found = sceneset("lookup", "滑雪", "--json", cwd=added)
    assert [(r["persons"], r["images"]) for r in found.json] == [("single", 2), ("multi", 2)]
    assert git(added, "status", "--short") == ""
