"""What to collect next, as a value: rows of scenes, requests, and what was not counted."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sceneset.reporting.plan_reasons import CellPlan, CellResult
from sceneset.reporting.plan_samples import Cell
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.targets import Targets
from sceneset.schemas.terms import Phase


class Duplicates(StrEnum):
    """Which images count as one picture."""

    AUTO = "auto"
    """``NEAR`` for up to ``MOST_COMPARED`` images, ``EXACT`` for more."""
    NEAR = "near"
    """Images that look alike, as the rule duplicate-near compares them."""
    EXACT = "exact"
    """Images with the same pixels."""


class Results(NamedTuple):
    """The outcome of an evaluation for each cell."""

    cells: Mapping[Cell, CellResult]
    whole: CellResult | None
    """Of all samples of the plan that were evaluated."""
    unknown: int
    """Evaluated samples that the plan does not count: of another version, or not selected."""
    held_out: bool
    """Whether only samples in val and test were used, because there are some."""


class Request(NamedTuple):
    """Images to ask for."""

    cell: CellPlan
    phase: Phase
    images: int
    """Wanted number of different images."""
    sources: int
    """From at least so many different sources."""


@dataclass
class Plan:
    """What to collect next."""

    cells: list[CellPlan]
    """Grouped by scene, the scene with the most urgent cell first."""
    samples: int
    """Number of counted samples, each once."""
    withdrawn: int
    restricted: Mapping[Restriction, int]
    without_scene: int
    several: int
    """Samples that count in more than one cell."""
    unused: list[str]
    """Scenes that have no sample and no target."""
    targets: Targets
    shares: Mapping[Phase, float] | None
    """What the shares of phases are compared with; None if they are not."""
    is_near: bool
    """Whether images that look alike count as one."""
    day: dt.date
    results: Results | None = None

    def requests(self) -> list[Request]:
        """Return what to ask for, the most urgent first.

        No source should have more than ``max_source`` of the target, which gives the number of
        sources.
        """
        found = []
        for cell in self.cells:
            for phase in Phase:
                if images := cell.missing(phase):
                    most = max(1, math.floor(self.targets.max_source * cell.targets[phase] + 1e-9))
                    found.append(Request(cell, phase, images, math.ceil(images / most)))
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the object that `plan --json` prints."""
        return {
            "samples": self.samples,
            "withdrawn": self.withdrawn,
            "restricted": {str(name): count for name, count in self.restricted.items()},
            "without_scene": self.without_scene,
            "in_several": self.several,
            "unused_scenes": self.unused,
            "day": str(self.day),
            "duplicates": "near" if self.is_near else "exact",
            "has_targets": self.targets.is_set,
            "max_source": self.targets.max_source,
            "shares": self.shares and {str(name): share for name, share in self.shares.items()},
            "wanted": sum(cell.wanted for cell in self.cells),
            "evaluation": self.results
            and {
                "all": _result_json(self.results.whole),
                "unknown_samples": self.results.unknown,
                "held_out_only": self.results.held_out,
            },
            "cells": [_cell_json(cell) for cell in self.cells],
            "requests": [
                {
                    "scene": one.cell.scene,
                    "persons": one.cell.persons,
                    "phase": one.phase,
                    "images": one.images,
                    "sources": one.sources,
                }
                for one in self.requests()
            ],
        }


def _cell_json(cell: CellPlan) -> dict[str, Any]:
    return {
        "scene": cell.scene,
        "persons": cell.persons,
        "images": cell.images,
        "different": cell.pictures,
        "wanted": cell.wanted,
        "phases": {
            str(phase): {
                "images": count.images,
                "different": count.pictures,
                "consent_ends": count.leaving,
                "first_end": str(dt.date.fromordinal(count.end)) if count.end else None,
                "target": cell.targets.get(phase),
                "wanted": cell.missing(phase),
                "sources": count.sources,
                "effective_sources": round(count.effective, 3),
                "largest_source": round(count.largest_share, 6),
                "without_source": count.without_source,
            }
            for phase, count in ((phase, cell.of(phase)) for phase in Phase)
        },
        "evaluation": _result_json(cell.result),
        "reasons": [
            {"kind": one.kind, "phase": one.phase, "text": one.text.en} for one in cell.reasons
        ],
    }


def _result_json(result: CellResult | None) -> dict[str, Any] | None:
    if result is None:
        return None
    values = {
        name: None if math.isnan(value) else round(value, 6)
        for name, value in (("iou", result.iou), ("low", result.low), ("high", result.high))
    }
    return {"images": result.images, "sources": result.sources, **values}
