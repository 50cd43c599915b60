"""Collect what the catalogue shows besides samples: findings, versions, names."""

from collections.abc import Callable

from sceneset.catalog.reader import Catalog
from sceneset.catalog.subset_folder import printable
from sceneset.paths import without_userinfo
from sceneset.quality.evaluate import all_findings
from sceneset.schemas.finding import Finding, Severity
from sceneset.site.options import SiteOptions
from sceneset.versions.history import released_test_images
from sceneset.versions.records import read_records


def site_options(
    catalog: Catalog,
    *,
    repo: str = "",
    rev: str = "",
    translate: Callable[[str], str] = str,
) -> SiteOptions:
    """Return the options of a catalogue with everything that the registry says of itself.

    Args:
        catalog: The registry.
        repo: What --repo was given, if it was not the current folder.
        rev: What --rev was given.
        translate: Returns a message in Chinese.

    Raises:
        FindingsError: params.yaml, the vocabulary or a record of a version can't be read.
    """
    name = (
        repo.rstrip("/").rpartition("/")[2].removesuffix(".git") or catalog.project.resolve().name
    )
    return SiteOptions(
        translate=translate,
        title=printable(name),
        state=rev,
        repo=without_userinfo(repo),
        findings=_findings(catalog),
        versions=read_records(catalog),
    )


def _findings(catalog: Catalog) -> list[Finding]:
    tested = released_test_images if catalog.origin is None else None
    found = all_findings(catalog, tested)
    return [one for one in found if one.severity is not Severity.NOTE]
