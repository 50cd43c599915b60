"""Run a sceneset command that reacts to SIGINT, as in a terminal.

A shell that starts the tests in the background lets all its child processes ignore SIGINT.
"""

import signal

from sceneset.cli.main import command

signal.signal(signal.SIGINT, signal.default_int_handler)
command()
