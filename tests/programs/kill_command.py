"""Run a command of sceneset in a process that kills itself at a point; see kill_points.py.

Usage: kill_command.py POINT WORD...
"""

import sys

from kill_points import kill_at_point

from sceneset.cli.main import main

kill_at_point(sys.argv[1])
sys.exit(main(sys.argv[2:]))
