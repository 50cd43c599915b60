"""Which images and categories the results of a model mean, by the numbers of a COCO file.

Programs write the same number as 7, 7.0 or "7". Numbers that the file does not list are errors, and
results of other categories are counted: nothing is left out in silence.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sceneset.catalog.subset_folder import printable
from sceneset.errors import UsageError
from sceneset.formats.classes import size_of
from sceneset.formats.types import Options, is_person_name

_SHOWN = 6  # names of categories


class Listed(NamedTuple):
    """An image that a COCO file lists."""

    name: str
    size: tuple[int, int] | None
    """Width and height, if the file says them."""


def id_text(value: object) -> str | None:
    """Return the number of an image or category as text; None if it is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value).strip() or None


def shown(value: object) -> str:
    """Return a value of a JSON file for messages: one short line."""
    return printable(str(value))[:40]


def listed_images(content: object, file: Path) -> dict[str, Listed]:
    """Return the images that have a name, by their numbers.

    Raises:
        UsageError: A number means two images.
    """
    images = content.get("images") if isinstance(content, dict) else None
    found: dict[str, Listed] = {}
    for entry in images if isinstance(images, list) else ():
        number = id_text(entry.get("id")) if isinstance(entry, dict) else None
        if number is None or not isinstance(entry.get("file_name"), str):
            continue
        image = Listed(entry["file_name"], size_of(entry.get("width"), entry.get("height")))
        if found.setdefault(number, image).name != image.name:
            raise UsageError(
                f"{file}: two images have the id {shown(number)}: {shown(found[number].name)} and "
                f"{shown(image.name)}; give each its own"
            )
    return found


def image_of(value: object, images: Mapping[str, Listed], file: Path) -> Listed:
    """Return the image that a result is for.

    Args:
        value: The ``image_id`` of the result: a number, or the name of the image.
        images: The listed images.
        file: The file of results.

    Raises:
        UsageError: It is a number, and no image is listed.
        ValueError: It is a number, and another one than those of the listed images.
    """
    number = id_text(value)
    if number is not None and number in images:
        return images[number]
    if isinstance(value, str) and not (images and number and number.isdigit()):
        return Listed(value, None)
    if not images:
        raise UsageError(
            f"{file}: the image id {shown(value)} has no file name; give the COCO file that lists "
            "the images: --images FILE"
        )
    raise ValueError(f"has the image id {shown(value)}, which the file does not list")


class Categories:
    """The categories of results, and which of them are persons."""

    def __init__(
        self, content: object, results: Sequence[object], file: Path, options: Options, hint: str
    ) -> None:
        """Find the persons.

        Args:
            content: What lists the categories.
            results: The results; without a list, all of them must have the same category.
            file: The file of results.
            options: Further names of categories that mean person.
            hint: What to do if no category is called person.

        Raises:
            UsageError: No category is called person, or it is not clear which one is.
        """
        self.others: Counter[str] = Counter()
        """Number of results of each other category, by its name."""
        entries = content.get("categories") if isinstance(content, dict) else None
        self._names = {
            number: str(entry.get("name"))
            for entry in (entries if isinstance(entries, list) else ())
            if isinstance(entry, dict) and (number := id_text(entry.get("id"))) is not None
        }
        self._persons = {n for n, name in self._names.items() if is_person_name(name, options)}
        if self._names and not self._persons:
            names = ", ".join(map(shown, list(self._names.values())[:_SHOWN]))
            raise UsageError(f"{file}: no category is called person ({names}); {hint}")
        if not self._names:
            _refuse_several(results, file)

    def is_person(self, result: Mapping[str, Any]) -> bool:
        """Return whether a result is a person; others are counted.

        Raises:
            ValueError: Its category is not listed; the message says so.
        """
        if not self._names:
            return True
        value = result.get("category_id")
        number = id_text(value)
        if value is None and len(self._names) == 1:
            return True
        if number not in self._names:
            raise ValueError(
                "has no category_id"
                if value is None
                else f"has the category {shown(value)}, which the file does not list"
            )
        if number not in self._persons:
            self.others[shown(self._names[number])] += 1
        return number in self._persons


def _refuse_several(results: Sequence[object], file: Path) -> None:
    """Refuse results of several categories that no file lists."""
    values = [result.get("category_id") for result in results if isinstance(result, dict)]
    used = {id_text(value) or "none" for value in values}
    if len(used) > 1:
        raise UsageError(
            f"{file} has the categories {', '.join(map(shown, sorted(used)[:_SHOWN]))}; give the "
            "COCO file that says which is person: --images FILE"
        )
