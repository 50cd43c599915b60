"""Tags as columns are those that the parser reads, whichever way they are read."""

import pytest

from sceneset.catalog import tag_columns
from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from support.build import NAME
from support.tabular import Drawn, write_registry

SAMPLES = (
    Drawn("b", "ski;city:multi", None, source="Clip 7"),
    Drawn("a", "ski", "single", "val", source="clip-7"),
    Drawn("a", "", None),
    Drawn("c", "city:multi;ski", "multi", source="滑雪 2"),
    Drawn("d", "ski", "multi", "test"),
)


def values(columns):
    labels = [columns.labels[number] for number in columns.label]
    sources = [*columns.sources, ""]
    return list(
        zip(
            columns.phase.to_pylist(),
            columns.stem.to_pylist(),
            [label.scenes for label in labels],
            [label.persons for label in labels],
            [sources[number] for number in columns.source],
            columns.is_crop.tolist(),
            strict=True,
        )
    )


def parsed(catalog):
    return [
        (str(tag.phase), tag.stem, tag.scenes, tag.persons, tag.source, tag.origin is not None)
        for tag in catalog.tags(NAME, cache=False)
    ]


def read(root):
    """Return the columns, and whether the fast way was enough."""
    catalog = Catalog(root)
    scan = catalog.scan(NAME, ("phase", "stem"))
    fast = tag_columns._read_columns(catalog, NAME, scan)
    found = tag_columns.tag_columns(catalog, NAME, scan)
    assert values(found) == parsed(catalog)
    assert values(tag_columns.tag_columns(catalog, NAME)) == parsed(catalog)
    return fast is not None


def test_plain_tags_are_read_in_columns(registry):
    assert read(write_registry(registry, SAMPLES))
    labels = tag_columns.tag_columns(Catalog(registry), NAME).labels
    assert [label.tag.memberships for label in labels[:2]] == [
        (("ski", "multi"),),
        (),
    ]


def test_samples_with_an_origin_are_crops(registry):
    path = write_registry(registry, SAMPLES) / f"registry/tags/{NAME}.csv"
    head, *rows = path.read_text("utf-8").splitlines()
    boxes = ("1 2 30 40", "", "5 6 7 8", "", "")
    lines = [f"{row},{box}" for row, box in zip(rows, boxes, strict=True)]
    path.write_text("\n".join([f"{head},origin", *lines]) + "\n", "utf-8")
    assert read(registry)
    columns = tag_columns.tag_columns(Catalog(registry), NAME)
    assert sum(columns.is_crop.tolist()) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Clip 7", '"Clip, 7"'),
        ("train,a,", "train,a ,"),
        ("\n", "\r\n"),
        ("phase,", "\ufeffphase,"),
        ("\ntest", "\n\ntest"),
        ("phase,stem,scenes", "phase, stem,scenes"),
        ("ski,single", "ski;,single"),
    ],
)
def test_tags_in_other_forms_are_parsed_with_the_same_result(registry, old, new):
    path = write_registry(registry, SAMPLES) / f"registry/tags/{NAME}.csv"
    text = path.read_text("utf-8")
    assert old in text
    path.write_bytes(text.replace(old, new).encode())
    read(registry)


def test_rows_in_another_order_and_without_an_end_are_parsed(registry):
    path = write_registry(registry, SAMPLES) / f"registry/tags/{NAME}.csv"
    head, *rows = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([head, *reversed(rows)]), "utf-8")
    assert not read(registry)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("ski,single", "skii,single", "unknown-scene"),
        ("ski,single", "ski,many", "schema"),
        ("ski,single,", "ski,single,many", "schema"),
        ("test,d,", "train,c,", "tag-duplicate"),
        ("test,d,ski", "<<<<<<< HEAD\ntest,d,ski", "csv-broken"),
        ("clip-7", "clip\x007", "schema"),
        ("clip-7", "x" * 3000, "schema"),
        ("test,d,ski,multi,,", "test,d,ski", "csv-broken"),
    ],
)
def test_errors_are_those_of_the_parser(registry, old, new, code):
    path = write_registry(registry, SAMPLES) / f"registry/tags/{NAME}.csv"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    catalog = Catalog(registry)
    with pytest.raises(FindingsError) as caught:
        tag_columns.tag_columns(catalog, NAME, catalog.scan(NAME, ("phase", "stem")))
    assert caught.value.findings[0].code == code


def test_tags_without_rows_are_empty_columns(registry):
    write_registry(registry, ())
    assert len(tag_columns.tag_columns(Catalog(registry), NAME)) == 0
    read(registry)
