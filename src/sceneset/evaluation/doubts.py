"""What is probably wrong with the predictions as a whole, although each file can be read."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sceneset.counts import counted
from sceneset.schemas.base import Localized

if TYPE_CHECKING:
    import pyarrow as pa

_CLEAR = 0.5
"""IoU from which exchanged predictions are no accident."""


def doubts(table: "pa.Table") -> Iterator[Localized]:
    """Yield doubts about the compared samples of a table of counts."""
    import pyarrow.compute as pc

    def total(name: str) -> int:
        return int(pc.sum(table[name]).as_py() or 0)

    truth, predicted, both = (total(name) for name in ("truth", "predicted", "both"))
    if truth and not predicted:
        number = int(pc.sum(pc.greater(table["truth"], 0)).as_py())
        masks = counted(number, "true mask has", "true masks have")
        yield Localized(
            en=f"no prediction has a person, but {masks} one: check what the values or "
            "scores mean, and --threshold",
            zh=f"没有任何预测包含人，而 {number:,} 个真值标注中有人：请检查取值或得分的含义，以及 "
            "--threshold",
        )
    sides = (table[name].cast("int64") for name in ("width", "height"))
    pixels = int(pc.sum(pc.multiply(*sides)).as_py() or 0) - total("ignored")
    either = pixels - predicted + both
    exchanged = (truth - both) / either if predicted and either else 0.0
    if exchanged > max(_CLEAR, both / max(1, truth + predicted - both)):
        yield Localized(
            en=f"the predictions are probably inverted: with person and background exchanged, the "
            f"IoU of all pixels is {exchanged:.4f}",
            zh=f"预测可能是反的：交换人与背景后，所有像素的 IoU 为 {exchanged:.4f}",
        )
