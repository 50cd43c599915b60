"""Open an export with Embedding Atlas, as its command does, and read the application it writes.

python read_embedding_atlas.py PARQUET FOLDER

The projection is left out: it needs a model from the network.
"""

import asyncio
import json
import sys
import types
from pathlib import Path

import duckdb
from embedding_atlas.cli import main
from embedding_atlas.embedding import create_embedder

parquet, folder = sys.argv[1], Path(sys.argv[2])
options = ["--image", "image", "--disable-projection", "--export-application", str(folder)]
main([parquet, *options], standalone_mode=False)
properties = json.loads((folder / "data/metadata.json").read_text("utf-8"))["props"]
table = duckdb.from_parquet(str(folder / "data/dataset.parquet"))
records = [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]

pictures = []


def pipeline(*_: object, **__: object) -> object:
    """Stand in for a model of transformers: keep the images that it is given."""
    return lambda images: pictures.extend(images) or [[0.0] for _ in images]


sys.modules["transformers"] = types.SimpleNamespace(pipeline=pipeline)
embed = create_embedder("transformers", modality="image", model=None, embedder_args={})
images = [record.pop("image") for record in records]
asyncio.run(embed(images, model=None, embedder_args={}))
for record, picture in zip(records, pictures, strict=True):
    record["size"] = picture.size
    record["mean"] = [sum(band.getdata()) / len(band.getdata()) for band in picture.split()]
print("\n" + json.dumps({"rows": records, "properties": properties}, ensure_ascii=False))
