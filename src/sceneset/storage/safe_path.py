"""Keep Python from importing modules out of the working folder, which may be a hostile clone.

This module imports only os and sys, and is imported before anything else of a program.
"""

import os
import sys


def safe_path() -> dict[str, str]:
    """Return the environment variables with which Python programs import nothing from their folder.

    An empty entry of PYTHONPATH stands for the working folder too.
    """
    variables = {"PYTHONSAFEPATH": "1"}
    if "PYTHONPATH" in os.environ:
        entries = os.environ["PYTHONPATH"].split(os.pathsep)
        variables["PYTHONPATH"] = os.pathsep.join(entry for entry in entries if entry)
    return variables


def leave_working_folder() -> None:
    """Import nothing more from the working folder, if `python -m` put it first on the path."""
    try:
        here = {"", os.getcwd()}  # noqa: PTH109 - pathlib may be a file of the folder
    except OSError:  # the folder was deleted
        here = {""}
    if not sys.flags.safe_path and sys.path and sys.path[0] in here:
        del sys.path[0]
