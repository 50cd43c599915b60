"""Read an export by its Croissant file, with the library mlcroissant.

python read_mlcroissant.py JSONLD
"""

import json
import sys
from pathlib import Path

import mlcroissant
import numpy as np
from rows import Rows

path = Path(sys.argv[1])
dataset = mlcroissant.Dataset(jsonld=path)
issues = dataset.metadata.ctx.issues
rows = Rows()
record_sets = [entry["@id"] for entry in json.loads(path.read_text("utf-8"))["recordSet"]]
for record_set in record_sets:
    for record in dataset.records(record_set):
        fields = {key.rpartition("/")[2]: value for key, value in record.items()}
        if "mask" not in fields:
            continue
        details = {
            key: value.decode() if isinstance(value, bytes) else str(value)
            for key, value in fields.items()
            if key not in {"image", "mask"}
        }
        name = "/".join(details.values())
        mask = np.asarray(fields["mask"])
        if mask.ndim == 3:  # mlcroissant opens each image as RGB
            assert (mask == mask[..., :1]).all()
            mask = mask[..., 0]
        rows.add(name, fields["image"], mask, fields=details)
rows.print(record_sets=record_sets, errors=sorted(issues.errors), warnings=sorted(issues.warnings))
