"""Version records, registry/versions/<number>.yaml, read and written."""

from sceneset.catalog.reader import Catalog
from sceneset.schemas.version import Version, VersionNumber
from sceneset.storage.yaml_files import dump_yaml, load


def read_records(catalog: Catalog) -> list[Version]:
    """Return the records of all versions, oldest first."""
    paths = (catalog.paths.registry / "versions").glob("[!.]*.yaml")
    records = [load(path, Version, catalog.paths.relative(path)) for path in paths]
    return sorted(records, key=lambda record: VersionNumber.parse(record.version))


def record_text(record: Version) -> str:
    """Return a record as YAML; equal records give equal bytes."""
    return dump_yaml(record.model_dump(mode="json", exclude_defaults=True))
