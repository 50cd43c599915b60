"""Update the index of samples, and kill this process after the first subset: ... ROOT."""

import os
import signal
import sys
from pathlib import Path

from sceneset.catalog import sample_index_builder
from sceneset.catalog.reader import Catalog

insert = sample_index_builder._Updater._insert


def insert_and_die(updater, connection, name, number):
    insert(updater, connection, name, number)
    # A tiny cache and large rows make SQLite write to the file before the commit.
    connection.execute("PRAGMA cache_spill = 1")
    connection.execute("PRAGMA cache_size = 1")
    rows = ((str(place), "y" * 4000) for place in range(200))
    connection.executemany("INSERT INTO file VALUES (?, '', ?)", rows)
    os.kill(os.getpid(), signal.SIGKILL)


sample_index_builder._Updater._insert = insert_and_die
sample_index_builder.open_sample_index(Catalog(Path(sys.argv[1])))
