"""Write the JSON Schemas that editors use: `python -m sceneset.schemas.export FOLDER`."""

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from sceneset.schemas.crop import CropRow
from sceneset.schemas.delivered import Delivered
from sceneset.schemas.dropped import DroppedRow
from sceneset.schemas.finding import Finding
from sceneset.schemas.lineage import LineageRow
from sceneset.schemas.params import Params
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.stats import SetStats, SubsetStats
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.tombstone import TombstoneFile
from sceneset.schemas.used import UsedRow
from sceneset.schemas.version import Version
from sceneset.schemas.waiver import Waivers

MODELS: dict[str, type[BaseModel]] = {
    "crop-row": CropRow,
    "delivered": Delivered,
    "dropped-row": DroppedRow,
    "forgotten": TombstoneFile,
    "lineage-row": LineageRow,
    "params": Params,
    "problem": Finding,
    "scan-row": ScanRow,
    "set-stats": SetStats,
    "subset": Subset,
    "subset-stats": SubsetStats,
    "tag": Tag,
    "used-row": UsedRow,
    "version": Version,
    "vocabulary": Vocabulary,
    "waivers": Waivers,
}


def schema_text(model: type[BaseModel]) -> str:
    """Return the JSON Schema of ``model`` as text; equal models give equal text."""
    schema = model.model_json_schema(mode="validation")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main(folder: str = "schemas/json") -> None:
    """Write every JSON Schema into ``folder``."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, model in MODELS.items():
        (target / f"{name}.json").write_text(schema_text(model), "utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
