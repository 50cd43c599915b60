"""Write registry/manifest.json: the digests and counts of all that this state holds."""

import sys

from sceneset.registry.catalog import Registry
from sceneset.registry.edge import FINE, guarded
from sceneset.registry.files import write_text
from sceneset.registry.manifest import manifest_text


def main() -> int:
    """Run the stage."""

    def run() -> int:
        registry = Registry.open()
        write_text(registry.paths.manifest, manifest_text(registry))
        return FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
