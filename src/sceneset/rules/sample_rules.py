"""Rules on single samples, evaluated on a scan's rows.

A rule tests whole columns, so that millions of good rows cost next to nothing; a message is only
made for the rows that break the rule.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.imaging import trait_names
from sceneset.rules.sample_columns import SampleColumns
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.params import Params
from sceneset.schemas.rules import Severity

if TYPE_CHECKING:
    import pyarrow as pa

    from sceneset.rules.sample_columns import Mask

Row = dict[str, Any]
"""One row of a scan, by column."""


class SampleRule(NamedTuple):
    """How a rule is tested, and what it reports."""

    code: str
    breaks: "Callable[[SampleColumns], Mask]"
    """Returns for each row whether it breaks the rule."""
    message: Callable[[Row, Params], str]
    """Returns the message for a row that breaks the rule."""
    hint: str = ""


_MASK_METADATA = (
    trait_names.PERSONAL,
    trait_names.GPS,
    trait_names.BROKEN,
    trait_names.TRAILING,
)
_NAME_PATTERNS = {
    "name-dot": r"\.",
    "name-space": "[\\s\u00a0\u2000-\u200a\u3000]",
    "name-windows": r'[<>:"|?*]|\.$',
    "name-start": r"^[=+@-]",
    "name-invisible": (
        "[\xad\u180e\u200b-\u200d\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
    ),
}
"""Patterns that a stem must not contain, by rule."""


def broken_name_rules(stem: str) -> set[str]:
    """Return the codes of the ``name-*`` rules that a stem breaks."""
    codes = {code for code, pattern in _NAME_PATTERNS.items() if re.search(pattern, stem)}
    return codes if unicodedata.is_normalized("NFC", stem) else codes | {"name-normal-form"}


def _with_visible(stem: str) -> str:
    """Return a stem with its invisible characters written as escapes."""
    pattern = _NAME_PATTERNS["name-invisible"]
    return re.sub(pattern, lambda found: found[0].encode("unicode_escape").decode(), stem)


def _percent(row: Row, pixels: int) -> str:
    return f"{100 * pixels / (row['width'] * row['height']):.1f} %"


def _details(row: Row, prefix: str, column: str = "traits") -> str:
    """Return what follows ``prefix`` in traits: "XMP" for "personal: XMP"."""
    return ", ".join(t.removeprefix(prefix) for t in row[column] if t.startswith(prefix))


def _mask_metadata(row: Row) -> str:
    """Describe what a mask contains besides its pixels."""
    found = [t for t in row["mask_traits"] if t.startswith(_MASK_METADATA)]
    words = (trait.removeprefix(trait_names.PERSONAL) for trait in found)
    return ", ".join("GPS position" if word == trait_names.GPS else word for word in words)


def _mode(row: Row) -> str:
    """Describe the pixel format: "RGB;16" is "RGB of 16 bits"."""
    mode, _, bits = row["mode"].partition(";")
    return f"{mode} of {bits} bits per channel" if bits else mode


def _small_areas(row: Row, name: str, min_share: float) -> str:
    """Describe the parts or holes that are smaller than a share of the image."""
    limit = min_share * row["width"] * row["height"]
    small = [area for area in row[name] if area < limit]
    shown = ", ".join(map(str, small[:3])) + (", ..." if len(small) > 3 else "")
    total = len(small) + row[f"{name}_total"] - len(row[name])
    return f"{total} smaller than {limit:.0f} pixels ({shown})"


_FIX = "`sceneset fix` does it"
_RENAME = f"rename the sample; {_FIX}"
SAMPLE_RULES = (
    SampleRule(
        "image-mode",
        lambda c: c["mode"] != "RGB",
        lambda r, _: f"the image is {_mode(r)}, not 8-bit RGB; readers convert it differently",
        "convert it to RGB; for gray images `sceneset fix` does it",
    ),
    SampleRule(
        "image-orientation",
        lambda c: c["orientation"] != 1,
        lambda r, _: f"EXIF orientation {r['orientation']} rotates the image, but not its mask",
        f"rotate the pixels of both and remove the EXIF tag; {_FIX}",
    ),
    SampleRule(
        "image-gps",
        lambda c: c.has_trait(trait_names.GPS),
        lambda *_: "the metadata contains a GPS position",
        f"remove the metadata; {_FIX}",
    ),
    SampleRule(
        "image-personal",
        lambda c: c.has_trait(trait_names.PERSONAL),
        lambda r, _: f"contains metadata: {_details(r, trait_names.PERSONAL)}",
        f"remove the metadata; {_FIX}",
    ),
    SampleRule(
        "image-profile",
        lambda c: c.has_trait(trait_names.PROFILE),
        lambda r, _: f"the colors are not sRGB: {_details(r, trait_names.PROFILE)}",
        "convert the image to sRGB: readers ignore the profile",
    ),
    SampleRule(
        "image-frames",
        lambda c: c.has_trait(trait_names.FRAMES),
        lambda r, _: (
            f"contains {_details(r, trait_names.FRAMES)} pictures; readers take the first one"
        ),
        "keep the first picture only; for multi-picture JPEGs `sceneset fix` does it",
    ),
    SampleRule(
        "image-metadata",
        lambda c: c.has_trait(trait_names.BROKEN),
        lambda *_: "the metadata is broken, but the pixels can be decoded",
        f"remove the metadata; {_FIX}",
    ),
    SampleRule(
        "image-trailing",
        lambda c: c.has_trait(trait_names.TRAILING),
        lambda *_: "has extra bytes after the end of the image",
        f"remove them; {_FIX}",
    ),
    SampleRule(
        "image-progressive",
        lambda c: c.has_trait(trait_names.PROGRESSIVE),
        lambda *_: "is stored progressively or interlaced",
    ),
    SampleRule(
        "mask-metadata",
        lambda c: c.has_trait(*_MASK_METADATA, column="mask_traits"),
        lambda r, _: f"the mask contains metadata: {_mask_metadata(r)}",
        f"remove the metadata; {_FIX}",
    ),
    SampleRule(
        "mask-orientation",
        lambda c: c.has_trait(trait_names.ORIENTATION, column="mask_traits"),
        lambda r, _: (
            "the mask has an EXIF orientation of its own "
            f"({_details(r, trait_names.ORIENTATION, 'mask_traits')}): some readers rotate it"
        ),
        "remove the tag if the mask fits its image as stored, else rotate the pixels; `sceneset "
        "fix` does it where the sizes show which is right",
    ),
    SampleRule(
        "mask-empty",
        lambda c: c["person"] == 0,
        lambda r, _: (
            "the mask contains no person"
            + ", only pixels to be ignored: 255 without any 1" * (r["ignore"] > 0)
        ),
        "correct for an image without people",
    ),
    SampleRule(
        "mask-full",
        lambda c: c["person"] == c.pixels,
        lambda *_: "every pixel of the mask is person",
        "check whether the mask was inverted or filled",
    ),
    SampleRule(
        "mask-ignored",
        lambda c: c["ignore"] > c.params.masks.max_ignore * c.pixels,
        lambda r, _: f"{_percent(r, r['ignore'])} of the mask is ignored (255)",
        "annotate more of it, or remove the sample",
    ),
    SampleRule(
        "mask-specks",
        lambda c: c.small_areas("parts", c.params.masks.min_part) > 0,
        lambda r, p: f"the mask has specks: {_small_areas(r, 'parts', p.masks.min_part)}",
        "remove them: parts this small are not people",
    ),
    SampleRule(
        "mask-holes",
        lambda c: c.small_areas("holes", c.params.masks.min_hole) > 0,
        lambda r, p: f"the mask has small holes: {_small_areas(r, 'holes', p.masks.min_hole)}",
        "fill the holes that show no background",
    ),
    SampleRule(
        "mask-coarse",
        lambda c: c["straight"] > 1000 * c.params.masks.max_straight,
        lambda r, _: f"{r['straight'] / 10:.0f} % of the outline are long straight edges",
        "if it was drawn as a polygon, draw it more finely",
    ),
    SampleRule(
        "mask-on-nothing",
        lambda c: c["contrast"] < c.params.masks.min_contrast,
        lambda r, _: (
            "the image is flat under the mask: its darkest and brightest pixels differ by "
            f"{r['contrast']} gray level{'s' if r['contrast'] != 1 else ''}"
        ),
        "check whether the mask belongs to another image, or covers a blank border",
    ),
    SampleRule(
        "mask-cut", SampleColumns.is_cut, lambda *_: "the person is cut off by the image border"
    ),
    SampleRule(
        "name-dot",
        lambda c: c.stem_matches(_NAME_PATTERNS["name-dot"]),
        lambda r, _: f"the stem {r['stem']!r} contains a dot; some readers cut it off there",
        _RENAME,
    ),
    SampleRule(
        "name-space",
        lambda c: c.stem_matches(_NAME_PATTERNS["name-space"]),
        lambda r, _: f"the stem {r['stem']!r} contains white space",
        _RENAME,
    ),
    SampleRule(
        "name-normal-form",
        SampleColumns.is_not_nfc,
        lambda r, _: f"the stem {r['stem']!r} is not in Unicode normal form NFC",
        _RENAME,
    ),
    SampleRule(
        "name-windows",
        lambda c: c.stem_matches(_NAME_PATTERNS["name-windows"]),
        lambda r, _: f"the stem {r['stem']!r} is not a valid file name on Windows",
        _RENAME,
    ),
    SampleRule(
        "name-start",
        lambda c: c.stem_matches(_NAME_PATTERNS["name-start"]),
        lambda r, _: (
            f"the stem {r['stem']!r} starts with {r['stem'][0]!r}; spreadsheets read it as a "
            "formula, or command lines as an option"
        ),
        _RENAME,
    ),
    SampleRule(
        "name-invisible",
        lambda c: c.stem_matches(_NAME_PATTERNS["name-invisible"]),
        lambda r, _: (
            f"the stem '{_with_visible(r['stem'])}' contains a character that is not shown, so "
            "that two names can look the same"
        ),
        _RENAME,
    ),
)
"""All rules on single samples. Their severities and help texts are in schemas/rules/."""


def sample_findings(
    table: "pa.Table", params: Params, *, folder: str = "", subset: str = "", notes: bool = False
) -> Iterator[Finding]:
    """Yield the findings of SAMPLE_RULES on a scan.

    Args:
        table: A scan with at least SAMPLE_COLUMNS.
        params: Thresholds and severities. Rules that are off are not evaluated.
        folder: Prefix of the files in findings, for example "Insta360SemanticSeg/<subset>/".
        subset: The subset to name in findings.
        notes: Evaluate rules with severity "note" too.
    """
    columns = SampleColumns(table, params)
    for rule in SAMPLE_RULES:
        severity = params.severity(rule.code)
        if severity is None or (severity is Severity.NOTE and not notes):
            continue
        for row in columns.rows_of(rule.breaks(columns)):
            message = rule.message(row, params)
            yield finding_on_row(rule.code, row, message, rule.hint, folder=folder, subset=subset)


def finding_on_row(
    code: str, row: Row, message: str, hint: str, *, folder: str, subset: str
) -> Finding:
    """Return a finding on a sample: about its mask for rules on masks, else about its image."""
    return finding(
        code,
        message,
        subset=subset,
        file=file_of(code, row, folder),
        phase=row["phase"],
        stem=row["stem"],
        hint=hint,
    )


def file_of(code: str, row: Row, folder: str) -> str:
    """Return the file that a finding on a row names; ``folder`` is its prefix."""
    is_about_mask = code.startswith(("mask-", "person-"))
    part, file = ("ann_dir", row["mask"]) if is_about_mask else ("img_dir", row["image"])
    return f"{folder}{part}/{row['phase']}/{file}"
