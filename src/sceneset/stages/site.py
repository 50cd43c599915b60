"""Write the catalogue: pages that show what the registry holds. Off by default, see dvc.yaml."""

import sys
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.cli.catalogue import load_catalogue
from sceneset.cli.output import progress
from sceneset.site.build import build_site
from sceneset.site.collect import site_options
from sceneset.stages.runner import subset_stage


def write_site(catalog: Catalog, folder: str) -> None:
    """Write or update the catalogue in a folder of the registry."""
    options = site_options(catalog, translate=load_catalogue().translate)
    build_site(catalog, catalog.root / Path(folder), options, progress=progress)


main = subset_stage("site", write_site, words="FOLDER")

if __name__ == "__main__":
    sys.exit(main())
