"""polars: read the stems of a scene, or the counts of all scenes, from Parquet."""

import sys

import polars as pl

table, what = sys.argv[1:]
rows = pl.scan_parquet(table)
if what == "stems":
    ski = (pl.col("scene") == "ski") & (pl.col("persons") == "multi") & (pl.col("phase") == "train")
    stems = rows.filter(ski).sort("subset", "stem").select("stem").collect()["stem"]
    sys.stdout.write("".join(f"{stem}\n" for stem in stems))
else:
    counts = rows.group_by("scene", "persons", "phase").len().sort("scene", "persons", "phase")
    sys.stdout.write("".join(f"{row}\n" for row in counts.collect().rows()))
