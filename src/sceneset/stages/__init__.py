"""The stages of the DVC pipeline: one module per stage, run by `python -m sceneset.stages.<stage>`.

Stages do not import each other. What they share is in ``runner``.
"""

import sys

from sceneset.storage.safe_path import leave_working_folder

if sys.argv[:1] == ["-m"]:  # Python sets it while it looks for the stage's module
    leave_working_folder()
