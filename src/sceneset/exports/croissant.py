"""Export with a Croissant 1.0 description: croissant.json beside Parquet files.

Images and masks are columns, because mlcroissant turns PNG files into RGB, which breaks masks, and
joins no more than two sources.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from sceneset.exports import hf_parquet
from sceneset.exports.output import Output
from sceneset.exports.types import ExportOptions, Selection, by_phase

_FILE = "croissant.json"
_RELEASE = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")  # the specification has no commits
_MEDIA_TYPE = "application/x-parquet"
_TEXTS = ("subset", "stem", "persons", "source")
_NUMBERS = ("boxes", "width", "height", "person_pixels", "ignore_pixels")
_ABOUT = {
    "image": "The image file.",
    "mask": "PNG of 8 bits: 0 is background, 1 is person, 255 is to be ignored.",
    "subset": "The subset of the registry.",
    "split": "train, val or test.",
    "stem": "The name of the sample in its subset and split.",
    "scenes": "Keys of the record set scenes.",
    "persons": '"single", "multi" or "mixed"; empty if unknown.',
    "source": "Where the image is from.",
    "boxes": "The number of boxes; empty if unknown.",
    "width": "Width as stored, in pixels.",
    "height": "Height as stored, in pixels.",
    "person_pixels": "Number of mask pixels with the value 1.",
    "ignore_pixels": "Number of mask pixels with the value 255.",
}
_TERMS = (
    *("citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject"),
    *("fileProperty", "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5"),
    *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace"),
    *("samplingRate", "separator", "source", "subField", "transform"),
)
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    **{term: f"cr:{term}" for term in _TERMS},
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
"""That of the specification 1.0; readers compare it."""


class _Croissant:
    name = "croissant"
    title = "Croissant 1.0 (mlcroissant), with Parquet files"
    loses = ""
    takes = frozenset({"shard_bytes"})

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:
        """Write data/*.parquet and croissant.json, which has their SHA-256."""
        hf_parquet.write(selection, options, out)
        written = [s for s in selection.samples if s.key not in out.bad_samples]
        paths = [f"data/{path}" for path in out.files("data", ".parquet")]
        content = {
            "@context": _CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": "http://mlcommons.org/croissant/1.0",
            "name": "person-segmentation",
            "description": f"Person segmentation: {selection.title}.",
            **_licence(selection),
            **({"version": selection.version} if _RELEASE.fullmatch(selection.version) else {}),
            "distribution": [*_files(paths, out), _file_set(paths)],
            "recordSet": [_splits(by_phase(written)), *_scenes(selection), _samples()],
        }
        out.write_text(_FILE, json.dumps(content, ensure_ascii=False, indent=1) + "\n")

    def count(self, out: Output) -> int:
        """Count the rows of the files that croissant.json names."""
        content = json.loads((out.to / _FILE).read_text("utf-8"))
        named = {entry.get("contentUrl") for entry in content["distribution"]}
        found = {f"data/{path}" for path in out.files("data", ".parquet")}
        return hf_parquet.count(out) if named - {None} == found else 0


def _licence(selection: Selection) -> dict[str, Any]:
    """Return the property license: the page of an SPDX identifier, or the text of other terms."""
    found = [_licence_url(name) or name for name in selection.licences if name]
    return {"license": found[0] if len(found) == 1 else found} if found else {}


def _licence_url(name: str) -> str:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        known = str(canonicalize_license_expression(name))
    except InvalidLicenseExpression:
        return ""
    is_single = " " not in known and not known.startswith("LicenseRef-")
    return f"https://spdx.org/licenses/{known}.html" if is_single else ""


def _files(paths: list[str], out: Output) -> list[dict[str, Any]]:
    files = []
    for path in paths:
        with (out.to / path).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        files.append(
            {
                "@type": "cr:FileObject",
                "@id": path,
                "name": path,
                "contentUrl": path,
                "contentSize": f"{(out.to / path).stat().st_size} B",
                "encodingFormat": _MEDIA_TYPE,
                "sha256": sha256,
            }
        )
    return files


def _file_set(paths: list[str]) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": "files",
        "name": "files",
        "description": "All samples.",
        "containedIn": [{"@id": path} for path in paths],
        "encodingFormat": _MEDIA_TYPE,
        "includes": "*.parquet",
    }


def _splits(phases: Iterable[str]) -> dict[str, Any]:
    uses = {"train": "TrainingSplit", "val": "ValidationSplit", "test": "TestSplit"}
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [_field("splits", "name", "sc:Text"), _field("splits", "url", "sc:URL")],
        "data": [
            {
                "splits/name": phase,
                "splits/url": f"http://mlcommons.org/croissant/{uses[phase]}",
            }
            for phase in phases
        ],
    }


def _scenes(selection: Selection) -> list[dict[str, Any]]:
    if not selection.scenes:
        return []
    return [
        {
            "@type": "cr:RecordSet",
            "@id": "scenes",
            "name": "scenes",
            "dataType": "sc:Enumeration",
            "key": {"@id": "scenes/key"},
            "field": [_field("scenes", "key", "sc:Text"), _field("scenes", "name", "sc:Text")],
            "data": [
                {"scenes/key": scene, "scenes/name": selection.scene_names[scene]}
                for scene in selection.scenes
            ],
        }
    ]


def _samples() -> dict[str, Any]:
    """Return the record set of all samples; key is the name with subset and split."""
    types = dict.fromkeys(_TEXTS, "sc:Text") | dict.fromkeys(_NUMBERS, "sc:Integer")
    fields = [
        _file_field("image", "sc:ImageObject"),
        _file_field("mask", ["sc:ImageObject", "cr:SegmentationMask"]),
        {**_column("split", "sc:Text", "phase"), "references": {"field": {"@id": "splits/name"}}},
        {**_column("scenes", "sc:Text"), "repeated": True},
        *(_column(name, kind) for name, kind in types.items()),
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "samples",
        "name": "samples",
        "key": [{"@id": f"samples/{name}"} for name in ("subset", "split", "stem")],
        "field": fields,
    }


def _file_field(name: str, kind: object) -> dict[str, Any]:
    field = _column(name, kind)
    field["source"]["transform"] = {"jsonPath": "bytes"}
    return field


def _column(name: str, kind: object, column: str = "") -> dict[str, Any]:
    field = _field("samples", name, kind)
    source = {"fileSet": {"@id": "files"}, "extract": {"column": column or name}}
    return {**field, "description": _ABOUT[name], "source": source}


def _field(record_set: str, name: str, kind: object) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{name}",
        "name": f"{record_set}/{name}",
        "dataType": kind,
    }


EXPORTER = _Croissant()
