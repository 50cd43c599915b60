"""Read the files of a registry, find samples in them, and edit its lists."""
