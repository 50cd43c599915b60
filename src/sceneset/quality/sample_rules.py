"""Rules that look at one sample at a time: told from its row of the scan alone.

A rule is a test of whole columns, so that millions of good rows cost next to nothing, and a few
words for each row that fails it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.imaging import metadata
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.params import Params
from sceneset.schemas.rules import Severity

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Hits = npt.NDArray[np.bool_]

COLUMNS = (
    *("phase", "stem", "image", "mask", "width", "height", "mode", "traits", "orientation"),
    *("person", "ignore", "box", "parts", "parts_total", "holes", "holes_total"),
    *("straight", "contrast"),
)
"""What of a scan is read."""


class Columns:
    """A scan's columns as arrays, each made when first asked for."""

    def __init__(self, table: "pa.Table", params: Params) -> None:
        self.table, self.params = table, params

    def __getitem__(self, name: str) -> Any:
        return self.table[name].to_numpy()

    @cached_property
    def pixels(self) -> Any:
        """Pixels of each picture."""
        return self["width"].astype("int64") * self["height"]

    @cached_property
    def _traits(self) -> tuple[list[str], Any]:
        import pyarrow.compute as pc

        column = self.table["traits"].combine_chunks()
        return pc.list_flatten(column).to_pylist(), pc.list_parent_indices(column).to_numpy()

    def has_trait(self, start: str) -> "Hits":
        """Say which rows have a trait that begins so."""
        import numpy as np

        words, rows = self._traits
        hits = np.zeros(len(self.table), bool)
        hits[
            [row for word, row in zip(words, rows.tolist(), strict=True) if word.startswith(start)]
        ] = True
        return hits

    def small(self, name: str, least: float) -> Any:
        """Count the parts or holes of each row that are smaller than a share of the picture.

        Those beyond the listed ones are not larger than the smallest listed one.
        """
        import numpy as np
        import pyarrow.compute as pc

        column = self.table[name].combine_chunks()
        rows = pc.list_parent_indices(column).to_numpy()
        areas = pc.list_flatten(column).to_numpy()
        of_row = rows[areas < least * self.pixels[rows]]
        counts = np.bincount(of_row, minlength=len(self.table))
        listed = np.bincount(rows, minlength=len(self.table))
        return np.where(counts > 0, counts + self[f"{name}_total"] - listed, 0)

    def stems(self, pattern: str) -> "Hits":
        """Say which stems hold a match of a pattern."""
        import pyarrow.compute as pc

        hits: Hits = pc.match_substring_regex(self.table["stem"], pattern).to_numpy()
        return hits

    def other_form(self) -> "Hits":
        """Say which stems are not in Unicode's normal form NFC."""
        import numpy as np
        import pyarrow.compute as pc

        hits = np.zeros(len(self.table), bool)
        foreign = np.flatnonzero(~pc.string_is_ascii(self.table["stem"]).to_numpy())
        for row, stem in zip(
            foreign.tolist(), self.table["stem"].take(foreign).to_pylist(), strict=True
        ):
            hits[row] = not unicodedata.is_normalized("NFC", stem)
        return hits

    def cut(self) -> "Hits":
        """Say where the person touches the picture's top or a side."""
        import numpy as np
        import pyarrow.compute as pc

        column = self.table["box"].combine_chunks()
        hits = np.zeros(len(self.table), bool)
        rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
        left, top, right, _ = pc.list_flatten(column).to_numpy().reshape(-1, 4).T
        hits[rows] = (left == 0) | (top == 0) | (right == self["width"][rows])
        return hits


Row = dict[str, Any]


class RowRule(NamedTuple):
    """How a rule is told from columns, and what is said of a row that fails it."""

    code: str
    fails: "Callable[[Columns], Hits]"
    says: Callable[[Row, Params], str]
    hint: str = ""


def _share(row: Row, pixels: int) -> str:
    return f"{100 * pixels / (row['width'] * row['height']):.1f} %"


def _said(row: Row, start: str) -> str:
    return ", ".join(t.removeprefix(start) for t in row["traits"] if t.startswith(start))


_NAMES = {
    "name-dot": r"\.",
    "name-space": "[\\s\u00a0\u2000-\u200a\u3000]",
    "name-windows": r'[<>:"|?*]|\.$',
}


def name_faults(stem: str) -> set[str]:
    """Return the rules on names that one stem breaks."""
    found = {code for code, pattern in _NAMES.items() if re.search(pattern, stem)}
    return found if unicodedata.is_normalized("NFC", stem) else found | {"name-normal-form"}


_FIX = "`sceneset fix` does it"
RULES = (
    RowRule(
        "image-mode",
        lambda c: c["mode"] != "RGB",
        lambda r, _: f"the image is {r['mode']}, not RGB; readers convert it each in their own way",
        "convert it to RGB; for gray images `sceneset fix` does it",
    ),
    RowRule(
        "image-orientation",
        lambda c: c["orientation"] != 1,
        lambda r, _: f"EXIF orientation {r['orientation']} turns the image, but not its mask",
        f"turn the pixels of both and drop the tag; {_FIX}",
    ),
    RowRule(
        "image-gps",
        lambda c: c.has_trait(metadata.GPS),
        lambda *_: "its EXIF data says where it was taken",
        f"take the EXIF data out; {_FIX}",
    ),
    RowRule(
        "image-personal",
        lambda c: c.has_trait(metadata.PERSONAL),
        lambda r, _: f"carries personal metadata: {_said(r, metadata.PERSONAL)}",
        f"take it out; {_FIX}",
    ),
    RowRule(
        "image-profile",
        lambda c: c.has_trait(metadata.PROFILE),
        lambda r, _: f"its colour profile is {_said(r, metadata.PROFILE)}, not sRGB",
        "convert its colours to sRGB: readers ignore the profile",
    ),
    RowRule(
        "image-frames",
        lambda c: c.has_trait(metadata.FRAMES),
        lambda r, _: f"holds {_said(r, metadata.FRAMES)} pictures; readers take the first",
        "keep the first picture alone; for multi-picture JPEGs `sceneset fix` does it",
    ),
    RowRule(
        "image-metadata",
        lambda c: c.has_trait(metadata.BROKEN),
        lambda *_: "its metadata is broken; its pixels decode",
        f"take the metadata out; {_FIX}",
    ),
    RowRule(
        "image-trailing",
        lambda c: c.has_trait(metadata.TRAILING),
        lambda *_: "bytes follow its end",
        f"cut them off; {_FIX}",
    ),
    RowRule(
        "image-progressive",
        lambda c: c.has_trait(metadata.PROGRESSIVE),
        lambda *_: "is stored progressively or interlaced",
    ),
    RowRule(
        "mask-empty",
        lambda c: c["person"] == 0,
        lambda *_: "the mask shows no person",
        "right for a picture without people",
    ),
    RowRule(
        "mask-full",
        lambda c: c["person"] == c.pixels,
        lambda *_: "the mask is all person",
        "look whether it was inverted or filled",
    ),
    RowRule(
        "mask-ignored",
        lambda c: c["ignore"] > c.params.masks.max_ignore * c.pixels,
        lambda r, _: f"{_share(r, r['ignore'])} of the mask is ignored",
        "annotate more of it, or leave the sample out",
    ),
    RowRule(
        "mask-specks",
        lambda c: c.small("parts", c.params.masks.min_part) > 0,
        lambda r, p: f"the mask has specks: {_smallest(r, 'parts', p.masks.min_part)}",
        "clean it: parts this small are no people",
    ),
    RowRule(
        "mask-holes",
        lambda c: c.small("holes", c.params.masks.min_hole) > 0,
        lambda r, p: f"the mask has small holes: {_smallest(r, 'holes', p.masks.min_hole)}",
        "fill what is not seen through",
    ),
    RowRule(
        "mask-coarse",
        lambda c: c["straight"] > 1000 * c.params.masks.max_straight,
        lambda r, _: f"{r['straight'] / 10:.0f} % of the outline lies in long straight edges",
        "draw it finer, if it was drawn as a polygon",
    ),
    RowRule(
        "mask-on-nothing",
        lambda c: c["contrast"] < c.params.masks.min_contrast,
        lambda r, _: (
            "under the mask the picture is flat: "
            f"{r['contrast']} gray levels between its darkest and brightest pixel"
        ),
        "look whether the mask belongs to another picture, or lies on a blank border",
    ),
    RowRule("mask-cut", Columns.cut, lambda *_: "the person is cut by the frame"),
    RowRule(
        "name-dot",
        lambda c: c.stems(_NAMES["name-dot"]),
        lambda r, _: f"the stem {r['stem']!r} holds a dot, where readers may end it",
        f"rename the sample; {_FIX}",
    ),
    RowRule(
        "name-space",
        lambda c: c.stems(_NAMES["name-space"]),
        lambda r, _: f"the stem {r['stem']!r} holds white space",
        f"rename the sample; {_FIX}",
    ),
    RowRule(
        "name-normal-form",
        Columns.other_form,
        lambda r, _: f"the stem {r['stem']!r} is not in Unicode's normal form NFC",
        f"rename the sample; {_FIX}",
    ),
    RowRule(
        "name-windows",
        lambda c: c.stems(_NAMES["name-windows"]),
        lambda r, _: f"the stem {r['stem']!r} can't be a file on Windows",
        f"rename the sample; {_FIX}",
    ),
)


def _smallest(row: Row, name: str, least: float) -> str:
    limit = least * row["width"] * row["height"]
    small = [area for area in row[name] if area < limit]
    shown = ", ".join(map(str, small[:3])) + (", ..." if len(small) > 3 else "")
    many = len(small) + row[f"{name}_total"] - len(row[name])
    return f"{many} of less than {limit:.0f} pixels ({shown})"


def sample_findings(
    table: "pa.Table", params: Params, *, folder: str = "", subset: str = "", notes: bool = False
) -> Iterator[Finding]:
    """Yield what a scan's rows are told; ``folder`` is what the paths of findings begin with.

    Rules that are switched off, and notes unless they are asked for, are not looked at.
    """
    import numpy as np

    columns = Columns(table, params)
    for rule in RULES:
        severity = params.severity(rule.code)
        if severity is None or (severity is Severity.NOTE and not notes):
            continue
        failing = np.flatnonzero(rule.fails(columns))
        for row in table.take(failing).to_pylist() if len(failing) else ():
            said = rule.says(row, params)
            yield of_row(rule.code, row, said, rule.hint, folder=folder, subset=subset)


def of_row(code: str, row: Row, said: str, hint: str, *, folder: str, subset: str) -> Finding:
    """Make a finding on a row: about the mask where its rule is, else about the image."""
    mask = code.startswith(("mask-", "person-"))
    part, file = ("ann_dir", row["mask"]) if mask else ("img_dir", row["image"])
    return finding(
        code,
        said,
        subset=subset,
        file=f"{folder}{part}/{row['phase']}/{file}",
        phase=row["phase"],
        stem=row["stem"],
        hint=hint,
    )
