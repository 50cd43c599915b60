"""Decide what a mask of 0 and 255 alone means, from the other masks of its delivery or subset.

Where other masks use 1 for person, 255 means ignored and nobody is there: such a mask comes from
data with ignored borders or crowds. Where no mask uses 1, 255 most likely means person, and the
mask is an error (rule mask-0-255).
"""

from collections.abc import Iterable, Iterator

from sceneset.scanning.measure_sample import Measured


def settle_void_masks(measured: Iterable[Measured]) -> Iterator[Measured]:
    """Yield all results in their order; masks of 0 and 255 get a row if another mask uses 1.

    From the first such mask on, results wait in memory until a mask uses 1.
    """
    waiting: list[Measured] = []
    uses_1 = False
    for result in measured:
        uses_1 = uses_1 or result.uses_1 or (result.row is not None and result.row.person > 0)
        if uses_1:
            yield from map(_taken, (*waiting, result))
            waiting.clear()
        elif waiting or result.void_row:
            waiting.append(result)
        else:
            yield result
    yield from waiting


def _taken(result: Measured) -> Measured:
    """Return a result without the error, and with its row."""
    if result.void_row is None:
        return result
    findings = tuple(found for found in result.findings if found.code != "mask-0-255")
    return result._replace(row=result.void_row, findings=findings, void_row=None)
