"""Make a process kill itself at a given call of a function."""

import importlib
import os
import signal


def kill_at(owner, name, number, *, is_after=False, is_counted=lambda: True, counter=None):
    """Make the process kill itself at a call of a function.

    Args:
        owner: The module or class that has the function.
        name: The name of the function.
        number: The number of the call, from 1.
        is_after: Kill the process when the call has ended, not before it.
        is_counted: Returns whether a call counts.
        counter: A list with the number of calls so far; functions that share it are counted
            together.
    """
    call, counter = getattr(owner, name), [0] if counter is None else counter

    def call_or_die(*args, **options):
        is_here = is_counted()
        counter[0] += is_here
        is_here = is_here and counter[0] == number
        if is_here and not is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = call(*args, **options)
        if is_here and is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, call_or_die)


def kill_at_point(point):
    """Make the process kill itself at "before MODULE FUNCTION N" or "after MODULE FUNCTION N"."""
    when, module, function, number = point.split()
    *parts, name = function.split(".")
    owner = importlib.import_module(module)
    for part in parts:
        owner = getattr(owner, part)
    kill_at(owner, name, int(number), is_after=when == "after")
