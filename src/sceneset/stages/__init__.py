"""How files are made: one module a DVC stage, `python -m sceneset.stages.<stage>`."""
