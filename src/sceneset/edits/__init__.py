"""Changes of a registry: adding, fixing and withdrawing samples."""
