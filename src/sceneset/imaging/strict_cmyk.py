"""Find damage in CMYK JPEGs of rare subsampling, which the strict decoders can't decode.

OpenCV decodes them, but libjpeg's warnings are only printed to the standard error of the process.
So OpenCV runs in a process of its own, whose output is read. It takes a third of a second for each
file; few files need it.
"""

import subprocess
import sys

_PROGRAM = """
import sys
import cv2
import numpy
data = numpy.frombuffer(sys.stdin.buffer.read(), numpy.uint8)
print("decoded" if cv2.imdecode(data, cv2.IMREAD_COLOR) is not None else "refused")
"""
_DAMAGE = ("Corrupt JPEG data", "Premature end of JPEG", "Inconsistent progression")
"""How libjpeg's warnings of lost pixels start."""
_SECONDS = 300  # for 170 million pixels on a busy machine


def check_with_opencv(data: bytes) -> None:
    """Check that a JPEG decodes without a warning of lost pixels.

    Args:
        data: A JPEG with a header of which libjpeg does not warn: it prints its first warning only.

    Raises:
        ValueError: Pixels are missing or damaged, or OpenCV can't be run.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _PROGRAM],
            input=data,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValueError(f"can't be checked for damage: {error}") from None
    warnings = done.stderr.decode(errors="replace").splitlines()
    if damage := next((text for text in warnings if text.startswith(_DAMAGE)), ""):
        raise ValueError(damage)
    if done.stdout.split() != [b"decoded"]:
        raise ValueError("its compressed data is damaged")
