"""Deliveries: folders of images, masks and split files that `sceneset add` reads and checks.

``read.py`` checks a delivery as a whole. The other modules each read one part of it or check one
thing; docs/adding-a-subset.md describes what a delivery is.
"""
