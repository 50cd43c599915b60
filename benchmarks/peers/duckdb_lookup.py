"""duckdb: read the stems of a scene, or the counts of all scenes, from Parquet."""

import sys

import duckdb

table, what = sys.argv[1:]
if what == "stems":
    rows = duckdb.execute(
        "select stem from read_parquet(?) where scene = 'ski' and persons = 'multi' "
        "and phase = 'train' order by subset, stem",
        [table],
    ).fetchall()
    sys.stdout.write("".join(f"{stem}\n" for (stem,) in rows))
else:
    rows = duckdb.execute(
        "select scene, persons, phase, count(*) from read_parquet(?) group by all order by all",
        [table],
    ).fetchall()
    sys.stdout.write("".join(f"{row}\n" for row in rows))
