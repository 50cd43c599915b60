"""Write the list of --quarantine: the samples that `add` leaves out, and why.

It is the only record of them, so it is never lost: it is written before the subset is added, and
other adds of the same name keep away from it meanwhile.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.edits.ingest import refuse_taken_name
from sceneset.errors import DvcError, FindingsError, fail
from sceneset.schemas.finding import Finding
from sceneset.storage.csv_rows import csv_text
from sceneset.storage.files import atomic_write, write_text
from sceneset.storage.locking import exclusive_lock

_COLUMNS = ("code", "file", "row", "phase", "stem", "message", "hint")
LIST_HEADER = ",".join(_COLUMNS)


@contextmanager
def list_of_left_out(
    catalog: Catalog,
    folder: Path | None,
    name: str,
    left_out: Sequence[Finding],
    *,
    is_new: bool = True,
) -> Iterator[None]:
    """Write the list before the block, which adds the subset or samples to it.

    If the subset is refused, the list is removed or gets its earlier content back. After an
    interrupt it stays, because the next run may complete the subset.

    Args:
        catalog: The registry.
        folder: The folder of the list; None writes no list.
        name: The name of the subset.
        left_out: The findings on what is left out.
        is_new: Whether the subset is new. For one that exists, the list grows: it may have samples
            that were left out when the subset was added.

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
            if is_new:
                refuse_taken_name(Catalog(catalog.root), name)
            earlier = path.read_bytes() if path.exists() else None
            before = earlier.decode() if earlier and not is_new else ""
            write_text(path, _list_text(left_out, before))
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


def _list_text(left_out: Sequence[Finding], before: str) -> str:
    """Return findings as CSV, one per line, after those of an earlier list."""
    rows = [tuple(row) for row in csv.reader(io.StringIO(before, newline=""))][1:]
    for found in left_out:
        fields = found.model_dump()
        rows.append(tuple("" if fields[name] is None else str(fields[name]) for name in _COLUMNS))
    return csv_text(_COLUMNS, dict.fromkeys(rows) if before else rows)
