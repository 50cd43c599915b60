"""What pages show besides samples and facts: selections, histories, changes, related images."""

from collections.abc import Collection
from contextlib import closing, suppress

from sceneset.errors import FindingsError
from sceneset.paths import PICTURE_STORE
from sceneset.reporting.data_card_origin import access_to, state_of
from sceneset.schemas.provenance import Restriction
from sceneset.site.evaluations import add_tiles
from sceneset.site.finding_places import finding_places
from sceneset.site.folder import SiteFolder
from sceneset.site.history import subset_histories
from sceneset.site.leak_pairs import leak_pairs, write_pictures
from sceneset.site.model import SiteModel
from sceneset.site.selections import read_selections
from sceneset.site.version_diffs import version_diffs
from sceneset.site.version_states import open_versions, version_licences
from sceneset.storage.picture_store import PictureStore
from sceneset.versions.records import version_tags


def add_extras(
    model: SiteModel, folder: SiteFolder, left_out: Collection[Restriction] = (), *, diffs: int = 1
) -> None:
    """Write the histories of samples and the pictures of related images; complete the model.

    Args:
        model: A model with the subsets and their samples.
        folder: The catalogue.
        left_out: Samples with one of these restrictions are not shown.
        diffs: How many of the last versions have pictures of what changed.
    """
    catalog = model.catalog
    model.address = access_to(catalog, state_of(catalog)).url
    shown = {subset.name: subset.keys for subset in model.subsets}
    if model.versions:
        model.tags = version_tags(catalog)
        states = open_versions(catalog, model.versions)
        model.licences = version_licences(model.versions, states)
        histories = subset_histories(catalog, states, shown)
        for name, history in histories.items():
            folder.write(f"data/history/{name}.js", history.script(name))
        model.histories = [*histories]
        model.diffs = version_diffs(model, folder, states, left_out, count=diffs)
    model.selections = read_selections(catalog, shown)
    suffixes = {subset.name: subset.entry.img_suffix for subset in model.subsets}
    secret = [subset.name for subset in model.subsets if subset.withdrawn or subset.restricted]
    model.places = finding_places(model.findings, shown, suffixes, secret)
    pairs = leak_pairs(model.findings, model.places)
    pictures = [picture for pair in pairs for picture in pair[1:]]
    if model.evaluations:
        pictures += add_tiles(model.evaluations, shown)
    if pictures:
        store = PictureStore.open(catalog.project / PICTURE_STORE)
        # If a scan can't be read, the samples are shown without the other pictures.
        with closing(store), suppress(FindingsError):
            write_pictures(folder, store, catalog, pictures)
    model.pairs = pairs
