"""Run a command and print its exit code, CPU seconds and peak memory in MiB as JSON.

The kernel counts the memory of the process that starts a command as the command's own peak, so a
large test process can't measure a small command; this small one can.

Usage: measure_command.py OUTPUT COMMAND...
"""

import json
import os
import subprocess
import sys
from pathlib import Path

with Path(sys.argv[1]).open("wb") as file:
    process = subprocess.Popen(sys.argv[2:], stdout=file, stderr=file)
    _, status, usage = os.wait4(process.pid, 0)
print(
    json.dumps(
        [
            os.waitstatus_to_exitcode(status),
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1024,
        ]
    )
)
