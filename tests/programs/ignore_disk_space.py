"""Run a sceneset command that believes every disk has 1 TiB of free space."""

import shutil
import sys
from types import SimpleNamespace

from sceneset.cli.main import main

shutil.disk_usage = lambda _: SimpleNamespace(free=1 << 40)
sys.exit(main(sys.argv[1:]))
