"""Where a sample comes from that `sceneset add` converted from an annotation format."""

from sceneset.schemas.base import Line, Model
from sceneset.schemas.names import Stem
from sceneset.schemas.terms import Phase


class Delivered(Model):
    """One row of registry/deliveries/<subset>.csv: a sample and its files in the delivery."""

    phase: Phase
    """train, val or test."""
    stem: Stem
    """Stem of the sample in the registry."""
    image: Line
    """Path of the image in the delivery."""
    annotation: Line
    """File of the annotation in the delivery, perhaps with a place in it."""
    changes: Line = ""
    """What was changed, for example "renamed from a b.jpg; mask resized from 100 x 50"."""
