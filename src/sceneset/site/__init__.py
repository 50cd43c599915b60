"""The catalogue: static pages of a registry that open from a file or any server."""
