"""Run a sceneset command, then write the names of all loaded top-level modules to stderr."""

import json
import sys

from sceneset.cli.main import main

main(sys.argv[1:])
sys.stderr.write("\n" + json.dumps(sorted({name.split(".")[0] for name in sys.modules})) + "\n")
