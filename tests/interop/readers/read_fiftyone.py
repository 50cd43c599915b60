"""Read an export with FiftyOne: its importer of folders, or the program in the export.

    python read_fiftyone.py {folders,program} FOLDER

FiftyOne keeps datasets in MongoDB, whose server no package index has: mongomock takes its place.
Samples, fields, labels, importers and datasets are FiftyOne's own.
"""

import os
import sys
from pathlib import Path

os.environ |= {"FIFTYONE_DO_NOT_TRACK": "true", "FIFTYONE_DISABLE_SERVICES": "1"}
os.environ["FIFTYONE_DATABASE_URI"] = "mongodb://localhost"  # never connected to

import runpy

import fiftyone as fo
import mongoengine
import mongomock
import pymongo
from fiftyone.core.odm import database
from fiftyone.utils.data.importers import ImageSegmentationDirectoryImporter
from rows import Rows

client = mongomock.MongoClient()
client._closed = False
connect = mongoengine.connect
pymongo.MongoClient = lambda *_, **__: client
mongoengine.connect = lambda name, **_: connect(name, mongo_client_class=lambda *_, **__: client)
database._validate_db_version = database._update_fc_version = lambda *_: None  # of the server

form, folder = sys.argv[1], Path(sys.argv[2])
rows = Rows()
facts = {}
if form == "folders":
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            with ImageSegmentationDirectoryImporter(
                dataset_dir=str(path), compute_metadata=True
            ) as importer:
                for image, metadata, label in importer:
                    size = metadata.width, metadata.height
                    rows.add(image, image, label.get_mask(), phase=path.name, size=size)
else:
    sys.argv = ["load_fiftyone.py", "people"]
    runpy.run_path(str(folder / "load_fiftyone.py"), run_name="__main__")
    dataset = fo.load_dataset("people")
    dataset.reload()
    for sample in dataset:
        [phase] = sample.tags
        names = ("subset", "phase", "stem", "scenes", "person_pixels", "ignore_pixels")
        rows.add(
            sample.id,
            sample.filepath,
            sample.ground_truth.get_mask(),
            phase=phase,
            size=(sample.metadata.width, sample.metadata.height),
            fields={name: sample[name] for name in names},
        )
    facts = {"targets": dataset.mask_targets["ground_truth"], "count": len(dataset)}
rows.print(**facts)
