"""Scans: every sample of a subset measured, by threads, processes or dask workers."""
