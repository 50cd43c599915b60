"""Build the catalogue of a registry: pictures and data subset by subset, then the pages.

Memory holds one subset at a time. Pictures are drawn once and kept by content hash, sprites are
named by their content, subsets that did not change are not read, and files are written only if
they change.
"""

from contextlib import closing
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.paths import PICTURE_STORE
from sceneset.progress import Progress, no_progress
from sceneset.site.extras import add_extras
from sceneset.site.facts import Facts
from sceneset.site.folder import SiteFolder
from sceneset.site.model import SiteModel
from sceneset.site.options import SiteOptions, SiteReport
from sceneset.site.pages import pages_of
from sceneset.site.subset_builder import SubsetBuilder
from sceneset.storage.picture_store import PictureStore
from sceneset.versions.local_files import LocalFiles


def build_site(
    catalog: Catalog, to: Path, options: SiteOptions, *, progress: Progress = no_progress
) -> SiteReport:
    """Write or update the catalogue in a folder.

    Args:
        catalog: The registry.
        to: The folder.
        options: What is shown.
        progress: Called with the samples of each subset.

    Raises:
        FindingsError: The vocabulary or another file that all pages need can't be read.
        DestinationError: The folder has other content.
    """
    folder = SiteFolder(to)
    folder.open()
    report = SiteReport()
    files = LocalFiles(catalog)
    with closing(PictureStore.open(catalog.project / PICTURE_STORE)) as store:
        store.forget(catalog.withdrawn.files)
        builder = SubsetBuilder(
            catalog, folder, store, files, options=options, report=report, progress=progress
        )
        subsets = []
        for name in catalog.names:
            try:
                subsets.append(builder.build(name))
            except FindingsError:  # the page of findings says why
                report.unread.append(name)
    model = SiteModel(
        catalog=catalog,
        title=options.title,
        state=options.state,
        repo=options.repo,
        has_search=options.has_search,
        subsets=subsets,
        findings=options.findings,
        versions=options.versions,
        evaluations=options.evaluations,
        unread=report.unread,
        has_large=options.has_large,
        translate=options.translate,
    )
    add_extras(model, folder, options.left_out, diffs=options.diffs)
    for subset in subsets:
        model.whole.merge(subset.facts.whole)
        for scene, facts in subset.facts.scenes.items():
            model.scenes.setdefault(scene, Facts()).merge(facts)
    for path, text in pages_of(model):
        folder.write(path, text)
        report.pages += path.endswith(".html")
    report.deleted = folder.delete_others()
    report.written = folder.written
    return report
