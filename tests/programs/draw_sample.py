"""Draw one sample into the folder that is the first argument, as a.jpg and a.png."""

import sys
from pathlib import Path

from drawing import draw_sample, save_sample

folder = Path(sys.argv[1])
drawn = draw_sample("surfing", 2, kind="full", size=(96, 72), seed=9)
save_sample(drawn, folder / "a.jpg", folder / "a.png")
