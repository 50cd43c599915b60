"""Run the command line as ``python -m sceneset``."""

from sceneset.cli.main import command

if __name__ == "__main__":
    command()
