"""Deliveries: folders of images, masks and split files, read and checked."""
