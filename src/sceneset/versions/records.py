"""Records of versions: registry/versions/<number>.yaml, read and written."""

import yaml

from sceneset.catalog.reader import Catalog
from sceneset.schemas.version import Number, Version
from sceneset.storage.yaml_files import load


def versions(catalog: Catalog) -> list[Version]:
    """Return the records of all versions, oldest first."""
    paths = (catalog.paths.registry / "versions").glob("[!.]*.yaml")
    found = [load(path, Version, catalog.paths.shown(path)) for path in paths]
    return sorted(found, key=lambda record: Number.of(record.version))


def record_text(record: Version) -> str:
    """Return a record as YAML, the same bytes for the same record."""
    fields = record.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=1000)
