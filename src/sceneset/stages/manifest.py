"""Write registry/manifest.json: the digests and counts of all that this state holds."""

import sys

from sceneset.catalog.reader import Catalog
from sceneset.cli.exit_codes import FINE, guarded
from sceneset.storage.files import write_text
from sceneset.versions.manifest import manifest_text


def main() -> int:
    """Run the stage."""

    def run() -> int:
        catalog = Catalog.find()
        write_text(catalog.paths.manifest, manifest_text(catalog))
        return FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
