"""Draw images of people in scenes, with exact masks."""

from drawing.sample import DrawnSample, draw_sample, save_sample

__all__ = ["DrawnSample", "draw_sample", "save_sample"]
