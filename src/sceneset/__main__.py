"""Run the command line as ``python -m sceneset``."""

from sceneset.storage.safe_path import leave_working_folder

leave_working_folder()  # before any other import: the folder may hold a file yaml.py

from sceneset.cli.main import command  # noqa: E402

if __name__ == "__main__":
    command()
