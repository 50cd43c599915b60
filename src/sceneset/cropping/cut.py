"""Cut the crops of one original: decode it once, and write image and mask of each person."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sceneset.counts import counted
from sceneset.cropping.frames import Candidate, grown
from sceneset.cropping.originals import Original, Originals
from sceneset.cropping.plan import Planned, plan
from sceneset.cropping.types import Detection, Reason, Refusal, Rules
from sceneset.errors import BlobError, FindingsError, UndecodableError
from sceneset.imaging.crop import Owners, crop_mask, cut, encode_image, owners_of, profile_of
from sceneset.imaging.decode import decode_image, decode_mask
from sceneset.imaging.frame import save_mask
from sceneset.schemas.crop import CropRow
from sceneset.schemas.params import Limits
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Persons
from sceneset.storage.files import md5_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]


class Cropped(NamedTuple):
    """The crops of one original."""

    tags: list[Tag]
    rows: list[CropRow]
    refused: list[Refusal]
    seams: int


class _Decoded(NamedTuple):
    """An original, decoded."""

    pixels: "Pixels"
    mask: "Pixels"
    owners: Owners
    profile: bytes | None


class Cutter:
    """Cuts originals into a delivery of crops. Thread-safe."""

    def __init__(
        self, originals: Originals, folder: Path, rules: Rules, limits: Limits, about: str
    ) -> None:
        """Prepare.

        Args:
            originals: The images.
            folder: The folder of the delivery; img_dir/PHASE and ann_dir/PHASE exist in it.
            rules: Thresholds and the format of images.
            limits: The largest sizes to decode.
            about: Where the boxes come from, for the record.
        """
        self._originals, self._folder, self._rules = originals, folder, rules
        self._limits, self._about = limits, about
        self.suffix = ".png" if rules.jpeg_quality is None else ".jpg"

    def crop(self, original: Original, detections: Sequence[Detection]) -> Cropped:
        """Cut all crops of an original and write their files."""
        planned = plan(original, detections, self._rules)
        found = Cropped([], [], planned.refused, planned.seams)
        if not planned.cut:
            return found
        try:
            image = self._originals.read_image(original)
            pixels = decode_image(image, original.suffix, self._limits).pixels
            mask = decode_mask(self._originals.read_mask(original), self._limits)
        except (BlobError, UndecodableError) as error:
            _refuse(found, Reason.UNREADABLE, original, None, str(error))
            return found
        except FindingsError as error:
            _refuse(found, Reason.UNREADABLE, original, None, error.findings[0].message)
            return found
        if pixels.shape[:2] != mask.shape or pixels.shape[:2] != (original.height, original.width):
            _refuse(found, Reason.UNREADABLE, original, None, "has another size than its mask")
            return found
        size = (original.width, original.height)
        owners = owners_of(mask, [grown(one.sides, 0, size) for one in planned.people])
        if pair := _connected(owners, planned.people):
            _refuse(found, Reason.CONNECTED, original, None, pair)
            return found
        decoded = _Decoded(pixels, mask, owners, profile_of(image, pixels))
        for number in planned.cut:
            self._cut(original, planned, number, decoded, found)
        return found

    def _cut(
        self,
        original: Original,
        planned: Planned,
        number: int,
        decoded: _Decoded,
        found: Cropped,
    ) -> None:
        """Cut one person, and add the crop or why there is none."""
        one = planned.people[number]
        owners = decoded.owners
        mask, own, others = crop_mask(decoded.mask, owners, number, one.frame)
        if reason := _unfit(owners, number, own, others, is_refusing=self._rules.refuse_others):
            _refuse(found, reason[0], original, one.detection, reason[1])
            return
        phase, stem = original.key[0], f"{original.key[1]}_{number + 1}"
        pixels = cut(decoded.pixels, one.frame, original.orientation)
        data = encode_image(pixels, decoded.profile, self._rules.jpeg_quality)
        (self._folder / f"img_dir/{phase}/{stem}{self.suffix}").write_bytes(data)
        height, width = mask.shape
        turned = cut(mask, (0, 0, width, height), original.orientation)
        save_mask(self._folder / f"ann_dir/{phase}/{stem}.png", turned)
        scenes = dict.fromkeys(scene for scene, _ in original.tag.scenes)
        found.tags.append(
            Tag(
                phase=phase,
                stem=stem,
                scenes=tuple((scene, None) for scene in scenes),
                persons=Persons.SINGLE,
                boxes=len(planned.people),
                source=original.source,
                origin=one.frame,
            )
        )
        found.rows.append(
            CropRow(
                phase=phase,
                stem=stem,
                image_md5=md5_of(data),
                original=original.recorded,
                original_md5=original.image_md5,
                frame=one.frame,
                orientation=original.orientation,
                box=one.sides,
                score=one.detection.score,
                grow=self._rules.grow,
                ignored=others,
                boxes=self._about,
            )
        )


def _refuse(
    found: Cropped, reason: Reason, original: Original, detection: Detection | None, detail: str
) -> None:
    place = detection.place if detection else ""
    found.refused.append(Refusal(reason, original.shown, place, detail))


def _connected(owners: Owners, people: Sequence[Candidate]) -> str:
    """Return which two boxes have one connected person in the mask, or ""."""
    first: dict[int, Candidate] = {}
    for part, one in zip(owners.main, people, strict=True):
        other = first.setdefault(part, one) if part else one
        if other.detection is not one.detection:
            places = f"{other.detection.place} and {one.detection.place}"
            return f"the people of {places} are connected in the mask"
    return ""


def _unfit(
    owners: Owners, number: int, own: int, others: int, *, is_refusing: bool
) -> tuple[Reason, str] | None:
    """Return why a crop is no picture of one person, or None.

    Args:
        owners: Whose the parts of the mask are.
        number: The number of the person's box.
        own: The person's pixels in the frame.
        others: Other people's pixels in the frame.
        is_refusing: Whether other people are refused.
    """
    main = owners.main[number]
    if not main or not own:
        return Reason.EMPTY, "has no person in the mask"
    total = int(owners.sizes[owners.owner == number].sum())
    if 2 * own < total:
        return Reason.PART, (
            f"holds {own:,} of {total:,} connected pixels, less than half: more people may be "
            "connected, or the box is wrong"
        )
    if others and is_refusing:
        return Reason.OTHERS, f"shows {counted(others, 'pixel')} of other people"
    return None
