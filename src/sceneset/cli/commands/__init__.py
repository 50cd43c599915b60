"""One module for each command: its help, its arguments, and the call that does the work."""
