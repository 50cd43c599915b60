"""Write the list of --quarantine: the samples that `add` leaves out, and why.

It is the only record of them, so it is never lost: it is written before the subset is added, and
other adds of the same name keep away from it meanwhile.
"""

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.delivery.types import Delivery
from sceneset.edits.ingest import refuse_taken_name
from sceneset.errors import DvcError, FindingsError, fail
from sceneset.storage.files import atomic_write, write_text
from sceneset.storage.locking import exclusive_lock

_COLUMNS = ("code", "file", "row", "phase", "stem", "message", "hint")
LIST_HEADER = ",".join(_COLUMNS)


@contextmanager
def list_of_left_out(
    catalog: Catalog, folder: Path | None, name: str, delivery: Delivery
) -> Iterator[None]:
    """Write the list before the block, which adds the subset.

    If the subset is refused, the list is removed or gets its earlier content back. After an
    interrupt it stays, because the next run may complete the subset.

    Args:
        catalog: The registry.
        folder: The folder of the list; None writes no list.
        name: The name of the subset.
        delivery: The delivery, with what is left out.

    Raises:
        FindingsError: The name is taken, or another command writes the list.
        OSError: The list can't be written.
    """
    if folder is None:
        yield
        return
    path = folder / f"{name}.csv"
    with ExitStack() as stack:
        try:
            _hold_lock(catalog, stack)
            # Another add of this name may have ended since the name was checked: the list is its.
            refuse_taken_name(Catalog(catalog.root), name)
            earlier = path.read_bytes() if path.exists() else None
            write_text(path, _list_text(delivery))
        except OSError as error:
            raise OSError(
                f"{path} can't be written ({error.strerror}); nothing was changed. Give "
                "--quarantine another folder"
            ) from error
        try:
            yield
        except (DvcError, FindingsError):
            if earlier is None:
                path.unlink(missing_ok=True)
            else:
                with atomic_write(path) as temporary:
                    temporary.write_bytes(earlier)
            raise


def _hold_lock(catalog: Catalog, stack: ExitStack) -> None:
    """Refuse if another add with --quarantine is adding its subset, until the stack ends."""
    try:
        stack.enter_context(exclusive_lock(catalog.paths.work / "quarantine.lock", timeout=0))
    except TimeoutError:
        fail(
            "locked",
            "another `sceneset add --quarantine` is writing here",
            file=".sceneset/quarantine.lock",
            hint="wait until it has ended, then run this again; `sceneset doctor` shows what runs",
        )


def _list_text(delivery: Delivery) -> str:
    """Return the findings of the samples that are left out as CSV, one per line."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for found in delivery.left_out:
        fields = found.model_dump()
        writer.writerow(["" if fields[name] is None else fields[name] for name in _COLUMNS])
    return out.getvalue()
