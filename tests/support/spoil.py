"""Damage the content of files as crashes, editors and attackers do."""

import random

from support.build import NAME

FILES = (
    "params.yaml",
    "registry/scenes.yaml",
    f"registry/subsets/{NAME}.yaml",
    f"registry/tags/{NAME}.csv",
    f"registry/scans/{NAME}.parquet",
    "registry/forgotten.yaml",
    "registry/waivers.yaml",
    "registry/stats/dataset.yaml",
    "registry/versions/1.0.0.yaml",
    "registry/versions/index.parquet.dvc",
    f"Insta360SemanticSeg/{NAME}/img_dir.dvc",
    f"Insta360SemanticSeg/{NAME}/ann_dir.dvc",
)
"""Files of a registry with the subset NAME and a version."""

HOSTILE = (
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r\n", b"\r", b"\x1b[31m", b"\n\n"),
    *(b"../../etc/passwd", b"/etc/passwd", b"..", b"a/b", b"con", b"\xe2\x80\xae", b"\xe6\xbb\x91"),
    *(
        b"&a [*a, *a]",
        b"!!python/object/apply:os.system ['true']",
        b"? {",
        b"- - - - - -",
        b"<<: *x",
    ),
    *(b"1" * 400, b"-1", b"1e999", b".nan", b"9" * 30, b"[" * 2000, b"{" * 2000, b"'", b'"', b"\\"),
    *(
        b"x" * 20_000,
        b"~",
        b"null",
        b"true",
        b",,,,,,,,",
        b";;:",
        b"PAR1",
        b"IEND",
        b"\xff\xd8\xff",
    ),
)


def spoiled(data: bytes, seed: int) -> bytes:
    """Return data that was cut, flipped, doubled, or has something hostile in it."""
    chance = random.Random(seed)
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at, end = sorted(chance.randrange(len(out) + 1) for _ in range(2))
        kind = chance.randrange(6)
        if kind == 0:
            del out[at:]
        elif kind == 1 and out:
            out[min(at, len(out) - 1)] ^= 1 << chance.randrange(8)
        elif kind == 2:
            out[at:at] = out[at:end][:5000]
        elif kind == 3:
            del out[at : min(end, at + 40)]
        else:
            out[at : at + chance.choice((0, 0, 3))] = chance.choice(HOSTILE)
    return bytes(out)
