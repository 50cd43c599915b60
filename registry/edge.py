"""The edge: exceptions become messages and exit codes here, and nowhere else.

0 fine, 1 problems found, 2 wrong use.
"""

import os
import sys
from collections.abc import Callable

from sceneset.schemas.problem import ProblemsFoundError

FINE, PROBLEMS, WRONG_USE = 0, 1, 2


class UsageError(Exception):
    """A command was asked for something that makes no sense; the message teaches what does."""


def guarded(run: Callable[[], int]) -> int:
    """Call ``run`` and return its exit code, or the one of what it raised."""
    from sceneset.registry.catalog import NoRegistryError
    from sceneset.registry.gitrepo import GitError
    from sceneset.registry.remote import DvcError
    from sceneset.registry.render import print_problems, say
    from sceneset.registry.revisions import UnknownRevisionError

    try:
        code = run()
        sys.stdout.flush()
        return code
    except ProblemsFoundError as found:
        print_problems(found.problems)
        return PROBLEMS
    except (UsageError, NoRegistryError, UnknownRevisionError) as error:
        say(f"sceneset: {error}", style="red")
        return WRONG_USE
    except (DvcError, GitError) as error:
        say(f"sceneset: {error}", style="red")
        return PROBLEMS
    except BrokenPipeError:  # `sceneset lookup | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except OSError as error:
        say(f"sceneset: {error}", style="red")
        return PROBLEMS
    except KeyboardInterrupt:
        say("sceneset: stopped")
        return 130
