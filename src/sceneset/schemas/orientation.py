"""The eight orientations of a picture, numbered as in EXIF, and how they combine.

Orientation n of a picture is what a viewer shows if the file's EXIF orientation is n.
"""

# Each orientation as (transpose, mirror, flip): first exchange rows and columns, then mirror left
# and right, then flip top and bottom.
STEPS = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}
WORDS = {
    1: "as it is",
    2: "mirrored",
    3: "turned by 180 degrees",
    4: "flipped upside down",
    5: "mirrored and turned by 90 degrees counterclockwise",
    6: "turned by 90 degrees clockwise",
    7: "mirrored and turned by 90 degrees clockwise",
    8: "turned by 90 degrees counterclockwise",
}
"""How a picture was changed, for messages."""

_NUMBERS = {steps: number for number, steps in STEPS.items()}


def combined(first: int, second: int) -> int:
    """Return the orientation that equals applying ``first`` and then ``second``."""
    transpose, mirror, flip = STEPS[first]
    then_transpose, then_mirror, then_flip = STEPS[second]
    if then_transpose:  # a mirrored picture, transposed, is flipped
        transpose, mirror, flip = not transpose, flip, mirror
    return _NUMBERS[transpose, mirror != then_mirror, flip != then_flip]


def inverse(orientation: int) -> int:
    """Return the orientation that undoes another one."""
    return {6: 8, 8: 6}.get(orientation, orientation)
