"""Make a dask worker crash or wait while it measures an image; loaded with `dask worker --preload`.

The environment variable FAULT names a file with a fault and the MD5 hash of an image:

- "crash MD5": measuring this image kills the worker, always.
- "crash-once MD5": measuring this image kills the worker the first time.
- "wait MD5": measuring any other image waits until the file holds something else.
- "none -": no fault.
"""

import os
import signal
import time
from pathlib import Path

from sceneset.imaging import facts
from sceneset.storage.files import md5_of

fault = Path(os.environ["FAULT"])
# dask loads a preload module more than once; the patch must be applied only once.
measure_image = getattr(facts, "unpatched_measure_image", facts.measure_image)
facts.unpatched_measure_image = measure_image


def read_fault() -> list[str]:
    return fault.read_text().split()


def faulty_measure_image(data, *arguments, **options):
    kind, md5 = read_fault()
    is_chosen = md5_of(data) == md5
    if is_chosen and kind == "crash-once":
        new = fault.with_suffix(".new")
        new.write_text("none -")
        new.replace(fault)  # atomic, because another worker may be reading it
    if is_chosen and kind.startswith("crash"):
        os.kill(os.getpid(), signal.SIGKILL)
    while not is_chosen and read_fault()[0] == "wait":
        time.sleep(0.05)
    return measure_image(data, *arguments, **options)


facts.measure_image = faulty_measure_image
