"""Drawing: people-like figures on varied scenes, with exact masks."""

from drawing.sample import Drawn, draw_sample, save_sample

__all__ = ["Drawn", "draw_sample", "save_sample"]
