"""Write registry/manifest.json: the digests and counts of everything in the registry."""

import sys

from sceneset.catalog.reader import Catalog
from sceneset.stages.runner import registry_stage
from sceneset.storage.files import write_text
from sceneset.versions.manifest import manifest_text


def write_manifest(catalog: Catalog) -> None:
    """Write registry/manifest.json."""
    write_text(catalog.paths.manifest, manifest_text(catalog))


main = registry_stage(write_manifest)

if __name__ == "__main__":
    sys.exit(main())
