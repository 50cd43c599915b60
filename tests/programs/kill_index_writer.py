"""Update the index of a registry, and kill this process after the first subset: ... ROOT."""

import os
import signal
import sys
from pathlib import Path

from sceneset.catalog import index_builder

insert_subset = index_builder._Updater._insert_subset


def insert_and_die(updater, name):
    insert_subset(updater, name)
    # A tiny cache and large rows make SQLite write to the file before the commit.
    updater.connection.execute("PRAGMA cache_spill = 1")
    updater.connection.execute("PRAGMA cache_size = 1")
    rows = (("x", place, "y" * 4000) for place in range(200))
    updater.connection.executemany("INSERT INTO row VALUES (?, ?, 0, 0, 0, ?)", rows)
    os.kill(os.getpid(), signal.SIGKILL)


index_builder._Updater._insert_subset = insert_and_die
index_builder.open_index(Path(sys.argv[1]))
