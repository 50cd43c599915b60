"""Fix what a mask file contains besides its pixels: metadata, and an orientation of its own."""

from sceneset.imaging import edit, metadata, trait_names
from sceneset.imaging.metadata import orientation_of

_METADATA = (
    trait_names.PERSONAL,
    trait_names.GPS,
    trait_names.BROKEN,
    trait_names.TRAILING,
)


def without_metadata(mask: bytes) -> bytes | None:
    """Return a mask without metadata, or None if it has none; its orientation is kept.

    Raises:
        OSError: The mask does not decode.
        ValueError: The mask is damaged.
    """
    opened = edit.open_image(mask)
    if opened.format != "PNG":
        return None
    if not any(trait.startswith(_METADATA) for trait in metadata.mask_traits(mask)):
        return None
    return edit.strip_personal_data(mask)


def mask_orientation(mask: bytes) -> int:
    """Return the EXIF orientation of a mask, 1 to 8; 1 if it has none.

    Raises:
        OSError: The mask does not decode.
    """
    opened = edit.open_image(mask)
    try:
        metadata.load_late_metadata(opened, mask)
    except Exception as error:  # decoders raise exceptions of many types
        raise OSError("does not decode completely") from error
    return orientation_of(opened)


def without_orientation(image: bytes, mask: bytes) -> bytes | None:
    """Return a mask without an orientation tag, aligned with its image as stored.

    Args:
        image: The file of the image.
        mask: The file of the mask.

    Returns:
        The mask, or None if it has no orientation of its own.

    Raises:
        OSError: A file does not decode.
        ValueError: It is not clear whether the mask fits the image as stored or as shown.
    """
    opened_mask, opened_image = edit.open_image(mask), edit.open_image(image)
    orientation = mask_orientation(mask)
    if orientation == 1:
        return None
    width, height = opened_mask.size
    if orientation_of(opened_image) == orientation:
        return edit.orient_image(mask, 1)  # readers turn both or none
    if orientation >= 5 and width != height:
        if (width, height) == opened_image.size:
            return edit.orient_image(mask, 1)
        if (height, width) == opened_image.size:
            return edit.orient_mask(mask, orientation)
    raise ValueError(
        f"orientation {orientation} of the mask: its size does not show whether the mask fits the "
        "image with or without it; look at the mask, then save it without the tag"
    )
