"""Decode the pictures that a program sent to a terminal, as the terminal would."""

import base64
import io
import re

import numpy as np
from PIL import Image

SEQUENCE = re.compile(
    r"\x1b_G(?P<keys>[^;\x1b]*);(?P<kitty>[^\x1b]*)\x1b\\"
    r"|\x1b\]1337;File=(?P<options>[^:]*):(?P<iterm>[^\x07]*)\x07"
    r"|\x1bP[0-9;]*q(?P<sixel>[^\x1b]*)\x1b\\"
)
_TOKEN = re.compile(
    r'"[0-9]+;[0-9]+;(?P<width>[0-9]+);(?P<height>[0-9]+)'
    r"|#(?P<defined>[0-9]+);2;(?P<rgb>[0-9;]+)|#(?P<chosen>[0-9]+)"
    r"|!(?P<count>[0-9]+)(?P<repeated>[?-~])|(?P<single>[?-~])|(?P<move>[$-])"
)


def pictures_in(text: str) -> list[Image.Image]:
    """Return the pictures of a stream, in their order."""
    found, parts = [], ""
    for match in SEQUENCE.finditer(text):
        if match["iterm"] is not None:
            found.append(_opened(match["iterm"]))
            options = dict(one.split("=") for one in match["options"].split(";"))
            assert options["inline"] == "1"
            assert int(options["size"]) == len(base64.b64decode(match["iterm"]))
        elif match["sixel"] is not None:
            found.append(_from_sixel(match["sixel"]))
        else:
            assert len(match["kitty"]) <= 4096
            keys = dict(one.split("=") for one in match["keys"].split(","))
            assert parts or keys["f"] == "100", "the first chunk names the format"
            parts += match["kitty"]
            if keys["m"] == "0":
                found.append(_opened(parts))
                parts = ""
            else:
                assert len(match["kitty"]) % 4 == 0
    assert not parts, "the last chunk is missing"
    return found


def joined(pictures: list[Image.Image]) -> Image.Image:
    """Return strips as one picture."""
    return Image.fromarray(np.concatenate([np.asarray(one) for one in pictures]))


def _opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True))).convert("RGB")


def _from_sixel(text: str) -> Image.Image:
    colours, colour, x, y, place = {}, 0, 0, 0, 0
    pixels = np.zeros((0, 0, 3), np.uint8)
    while place < len(text):
        token = _TOKEN.match(text, place)
        assert token, text[place : place + 20]
        place = token.end()
        if token["width"]:
            width, height = int(token["width"]), int(token["height"])
            pixels = np.zeros((-(-height // 6) * 6, width, 3), np.uint8)
        elif token["defined"]:
            rgb = map(int, token["rgb"].split(";"))
            colours[int(token["defined"])] = [round(value * 255 / 100) for value in rgb]
        elif token["chosen"]:
            colour = int(token["chosen"])
        elif token["move"]:
            x, y = 0, y + 6 * (token["move"] == "-")
        else:
            count, sign = int(token["count"] or 1), token["repeated"] or token["single"]
            bits = ord(sign) - 63
            for row in range(6):
                if bits >> row & 1:
                    assert x + count <= width
                    pixels[y + row, x : x + count] = colours[colour]
            x += count
    return Image.fromarray(pixels[:height])
