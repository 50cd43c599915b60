"""Scans: measure every sample of a subset with threads, processes or a dask cluster."""
