"""faiss: find all pairs of hashes within a distance with its flat binary index.

    faiss_pairs.py LEFT.npy RIGHT.npy BITS PART PAIRS.npy

Searches for the first PART hashes of LEFT in all of RIGHT, prints the seconds and writes the pairs.
"""

import sys
import time

import faiss
import numpy as np

left, right = (np.load(path) for path in sys.argv[1:3])
bits, part = map(int, sys.argv[3:5])
index = faiss.IndexBinaryFlat(64)
index.add(right.view(np.uint8).reshape(-1, 8))
began = time.perf_counter()
ends, distances, found = index.range_search(left[:part].view(np.uint8).reshape(-1, 8), bits + 1)
seconds = time.perf_counter() - began
ones = np.repeat(np.arange(part), np.diff(ends.astype(np.int64)))
kept = distances <= bits
np.save(sys.argv[5], np.stack([ones[kept], found[kept]]))
sys.stdout.write(f"{seconds}\n")
