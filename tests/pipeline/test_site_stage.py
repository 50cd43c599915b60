"""The stage `site`, which is a comment in dvc.yaml until somebody wants it."""

import re

from support.build import dvc, git


def test_stage_writes_the_catalogue_once_its_comment_signs_are_removed(added):
    pipeline = added / "dvc.yaml"
    text = pipeline.read_text("utf-8")
    head, _, rest = text.partition("  # site:\n")
    assert rest, "dvc.yaml of a new registry has the stage as a comment"
    pipeline.write_text(f"{head}  site:\n" + re.sub(r"(?m)^  # ", "  ", rest), "utf-8")
    done = dvc(added, "repro", "site")
    assert done.code == 0, done.err
    assert (added / "catalogue/en/index.html").is_file()
    assert "catalogue" not in git(added, "status", "--porcelain", "--untracked-files=all")
    assert dvc(added, "status", "--quiet", "site", check=False).code == 0
    # A change of the tags makes the catalogue new; what is drawn already is used again.
    tags = next((added / "registry/tags").glob("*.csv"))
    tags.write_text(tags.read_text("utf-8").replace("ski", "city"), "utf-8")
    assert dvc(added, "status", "--quiet", "site", check=False).code == 1
