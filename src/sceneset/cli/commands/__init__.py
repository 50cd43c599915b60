"""One module a command: its arguments, its examples, and the call that does the work."""
