"""Crops: one person of each original image, cut out around the box of a detector."""
