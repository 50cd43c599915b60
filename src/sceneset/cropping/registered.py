"""Read the samples of a registered subset, of any version, to crop them."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from sceneset.catalog.provenance import restricted
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scanned_files import refuse_unscanned
from sceneset.cropping.originals import Original, Originals, unique_in_phases
from sceneset.cropping.types import Reason, Refusal
from sceneset.errors import UsageError
from sceneset.paths import DATA_ROOT
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Kind
from sceneset.versions.local_files import LocalFiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_COLUMNS = ("phase", "stem", "image", "image_md5", "mask_md5", "picture")
_NUMBERS = ("width", "height", "orientation")


class RegisteredSubset:
    """A subset whose samples are cropped: ``originals``, and how their files are fetched."""

    def __init__(self, catalog: Catalog, name: str, left_out: Collection[Restriction]) -> None:
        """Read entry, tags and scan.

        Args:
            catalog: The registry, at any revision.
            name: Full name of the subset.
            left_out: Samples with one of these restrictions are not cropped.

        Raises:
            UsageError: The subset holds crops.
            FindingsError: A file of the registry can't be read.
        """
        entry = catalog.entry(name)
        if entry.kind is Kind.CROP:
            raise UsageError(f"{name} holds crops already; crop its original images")
        self._name = name
        self.files = LocalFiles(catalog)
        tags = {tag.key: tag for tag in catalog.tags(name)}
        rows = dict(self._rows(catalog))
        refuse_unscanned(catalog, name, sorted(tags.keys() - rows.keys()))
        covered = restricted(catalog, name, left_out)
        is_unique = unique_in_phases([tag.key for tag in tags.values()])
        self.originals = Originals([], self._read_image, self._read_mask)
        self.originals.described = name
        self.originals.category = entry.category
        self.originals.provenance = entry.provenance
        self._masks: dict[tuple[str, str], str] = {}
        for key, tag in sorted(tags.items()):
            row, shown = rows[key], "/".join(key)
            picture = row["picture"].hex() if row["picture"] else ""
            image_md5 = row["image_md5"].hex()
            if stone := catalog.withdrawn.tombstone_of(image_md5, picture):
                self.originals.refused.append(
                    Refusal(Reason.WITHDRAWN, shown, "", f"was withdrawn: {stone.reason}")
                )
            elif restriction := covered.of((str(key[0]), key[1])):
                self.originals.refused.append(
                    Refusal(Reason.RESTRICTED, shown, "", f"has the restriction {restriction}")
                )
            else:
                self._masks[str(key[0]), key[1]] = row["mask_md5"].hex()
                self.originals.images.append(
                    self._original(tag, row, image_md5, is_unique=is_unique[tag.stem])
                )

    def _rows(self, catalog: Catalog) -> "Iterator[tuple[Any, Mapping[str, Any]]]":
        table = catalog.scan(self._name, (*_COLUMNS, *_NUMBERS))
        for row in table.to_pylist():
            yield (row["phase"], row["stem"]), row

    def _original(
        self, tag: Tag, row: "Mapping[str, Any]", image_md5: str, *, is_unique: bool
    ) -> Original:
        phase, stem = tag.key
        return Original(
            tag=tag,
            names=(f"{self._name}/{phase}/{stem}", f"{phase}/{self._name}/{stem}"),
            source=f"{self._name}/{stem}" if is_unique else f"{self._name}/{phase}/{stem}",
            recorded=f"{self._name}/{phase}/{stem}",
            image_md5=image_md5,
            suffix=row["image"][len(stem) :],
            width=row["width"],
            height=row["height"],
            orientation=row["orientation"],
        )

    def files_of(self, original: Original) -> list[tuple[str, str | None]]:
        """Return path and hash of the files of an image, for ``LocalFiles.fetch``."""
        return [self._image(original), self._mask(original)]

    def _image(self, original: Original) -> tuple[str, str]:
        phase, stem = original.key
        path = f"{self._name}/img_dir/{phase}/{stem}{original.suffix}"
        return path, original.image_md5

    def _mask(self, original: Original) -> tuple[str, str]:
        phase, stem = original.key
        return f"{self._name}/ann_dir/{phase}/{stem}.png", self._masks[str(phase), stem]

    def _read_image(self, original: Original) -> bytes:
        return self.files.read(*self._image(original))

    def _read_mask(self, original: Original) -> bytes:
        return self.files.read(*self._mask(original))


def is_in_registry(path: str) -> bool:
    """Return whether a path is inside a data root, so that it names a subset and no delivery."""
    return DATA_ROOT in path.split("/")
