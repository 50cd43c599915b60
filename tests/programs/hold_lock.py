"""Hold an exclusive lock until standard input is closed: hold_lock.py LOCK."""

import sys
from pathlib import Path

from sceneset.storage.locking import exclusive_lock

with exclusive_lock(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
