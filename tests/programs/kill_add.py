"""Run `sceneset add` in forked processes that kill themselves at a given point.

Usage: kill_add.py DELIVERY. Every line of the input, "ROOT DELIVERY NAME POINT" separated by tabs,
starts one process; its exit code is printed. A POINT is one of:

- "never": the process is not killed,
- "own N": before the N-th call that changes the disk, outside of dvc,
- "dvc N": the same inside of dvc,
- "before MODULE FUNCTION N" or "after MODULE FUNCTION N": at the N-th call of a function.

Everything is imported once, by one whole add, so that a process takes a fraction of a second.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dvc.cli
from kill_points import kill_at, kill_at_point

from sceneset.cli import main as cli
from sceneset.storage import dvc as storage_dvc

DISK_CALLS = (
    *((os, name) for name in ("mkdir", "rename", "replace", "unlink", "rmdir", "link")),
    (shutil, "copyfile"),
    (Path, "touch"),
)


def run_dvc_here():
    """Run dvc in this process, so that it can be killed too; return a test for being in dvc."""
    run, is_in_dvc = subprocess.run, [False]

    def run_here(command, **options):
        words = [word for word in command[1:] if word != "-P"]
        if words[:2] != ["-m", "dvc"]:
            return run(command, **options)
        is_in_dvc[0] = True
        code = dvc.cli.main(words[2:])
        is_in_dvc[0] = False
        return subprocess.CompletedProcess(command, code, "", "")

    storage_dvc.subprocess.run = run_here
    return lambda: is_in_dvc[0]


def add(root, folder, name, point):
    """Add a delivery, and die at a point."""
    is_in_dvc = run_dvc_here()
    match point.split():
        case [("own" | "dvc") as where, number]:
            counter = [0]
            for owner, call in DISK_CALLS:
                kill_at(
                    owner,
                    call,
                    int(number),
                    is_counted=lambda: is_in_dvc() is (where == "dvc"),
                    counter=counter,
                )
        case [_, _, _, _]:
            kill_at_point(point)
    os.chdir(root)
    return cli.main(["add", folder, "--name", name])


answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the commands print is not read

cli.main(["init", "warm"])
os.chdir("warm")
cli.main(["add", sys.argv[1], "--name", "CustomSeg_Person_20240101_warm"])
dvc.cli.main(["add", "--quiet", "README.md"])

for line in sys.stdin:
    words = line.rstrip("\n").split("\t")
    pid = os.fork()
    if not pid:
        code = 99
        try:
            code = add(*words)
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=answers, flush=True)
