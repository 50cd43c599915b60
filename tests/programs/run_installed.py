"""Run `sceneset` from a folder that pip installed a wheel to, and not from the checkout.

Usage: run_installed.py FOLDER [ARGUMENTS]
"""

import sys

folder, *arguments = sys.argv[1:]
# The finder of the editable installation would find the package in the checkout.
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
sys.path.insert(0, folder)

from sceneset.cli import main  # noqa: E402

if not main.__file__.startswith(folder):
    sys.exit(f"{main.__file__} is not in {folder}")
sys.exit(main.main(arguments))
