"""Versions: pinned states of a registry, and what differs between two of them."""
