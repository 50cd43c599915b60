"""Rules of images and masks: what their files hold."""

from sceneset.schemas.rules.rule import Freedom, Rule, Severity

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

IMAGES = (
    Rule(
        "image-unreadable",
        _ERROR,
        "an image or mask can't be decoded to its end",
        "The strictest decoder decides: a JPEG that libjpeg warns of, a PNG with a wrong checksum. "
        "Tolerant readers hand out gray bands instead. Copy the file again from where it came.",
    ),
    Rule(
        "image-format",
        _ERROR,
        "a file's content is not what its suffix says",
        "Readers choose their decoder by either. Convert it to a real JPEG or PNG of 8 bits a "
        "channel.",
    ),
    Rule(
        "image-too-large",
        _ERROR,
        "a file or picture is beyond the limits of params.yaml",
        "It was not decoded: a small file may unpack to gigabytes. Raise limits.max_pixels or "
        "limits.max_bytes if it is meant.",
    ),
    Rule(
        "image-too-small",
        _ERROR,
        "a picture is smaller than anything can be seen in",
        "Less than limits.min_side pixels on a side. Leave it out.",
    ),
    Rule(
        "image-mode",
        _WARNING,
        "an image is not 8-bit RGB",
        "Gray, CMYK, palette, alpha, 16 bits: each reader converts them in its own way. `sceneset "
        "fix` makes gray ones RGB; the others have no one right answer.",
        Freedom.SET,
    ),
    Rule(
        "image-orientation",
        _WARNING,
        "an image carries an orientation that its mask does not",
        "Readers that heed EXIF turn the image and not the mask, so people and mask part. "
        "`sceneset fix` turns both for good.",
        Freedom.SET,
    ),
    Rule(
        "image-gps",
        _WARNING,
        "an image says where it was taken",
        "The place is in its EXIF data. `sceneset fix` takes it out; the pixels stay as they are.",
        Freedom.SET,
    ),
    Rule(
        "image-personal",
        _WARNING,
        "an image carries personal metadata",
        "Names, serial numbers, comments, XMP, IPTC, maker notes, or a thumbnail that may show "
        "what was cut away. `sceneset fix` takes them out; the pixels stay as they are.",
        Freedom.SET,
    ),
    Rule(
        "image-profile",
        _WARNING,
        "an image has a colour profile other than sRGB",
        "Readers ignore it, so its colours are read as others than were seen. Convert it to sRGB.",
        Freedom.SET,
    ),
    Rule(
        "image-frames",
        _WARNING,
        "an image file holds several pictures",
        "An animation or a multi-picture JPEG (MPO), as phones write it; readers take the first.",
        Freedom.SET,
    ),
    Rule(
        "image-metadata",
        _WARNING,
        "an image's metadata is broken",
        "The pixels decode; some readers stumble over the rest. `sceneset fix` takes it out.",
        Freedom.SET,
    ),
    Rule(
        "image-trailing",
        _WARNING,
        "bytes follow the end of an image",
        "They may be a trailer of a camera, or something hidden. `sceneset fix` cuts them off.",
        Freedom.SET,
    ),
    Rule(
        "image-progressive",
        _NOTE,
        "an image is stored progressively or interlaced",
        "It decodes slower, and hardware decoders refuse it.",
        Freedom.SET,
    ),
)

MASKS = (
    Rule(
        "size-differs",
        _ERROR,
        "an image and its mask differ in size",
        "mmsegmentation does not compare them; it trains on people that are cut at the wrong "
        "place. Annotate at the image's own size.",
    ),
    Rule(
        "mask-mode",
        _ERROR,
        "a mask is not one channel of 8 bits",
        "A palette PNG is read as indices by Pillow and as colours by OpenCV. Write class numbers "
        "into an 8-bit gray PNG.",
    ),
    Rule(
        "mask-values",
        _ERROR,
        "a mask holds values other than 0, 1 and 255",
        "0 is background, 1 person, 255 ignored. Instance numbers and other classes end in an "
        "IndexError or in a wrong class.",
    ),
    Rule(
        "mask-soft",
        _ERROR,
        "a mask has soft edges, as an alpha matte has",
        "Grays between background and person are no classes. Cut them at the half, or mark the "
        "edge as 255.",
    ),
    Rule(
        "mask-0-255",
        _ERROR,
        "a mask writes the person as 255, which readers ignore",
        "Training runs without an error, on background alone. `sceneset fix` maps 255 to 1.",
    ),
    Rule(
        "mask-empty",
        _WARNING,
        "a mask shows no person",
        "Right for a picture without people, and a common slip for one with them.",
        Freedom.SET,
    ),
    Rule(
        "mask-full",
        _WARNING,
        "a mask is all person",
        "No background is left. An inverted or a filled mask looks like this.",
        Freedom.SET,
    ),
    Rule(
        "mask-ignored",
        _WARNING,
        "much of a mask is ignored",
        "More than masks.max_ignore of the picture is 255, and teaches nothing.",
        Freedom.SET,
    ),
    Rule(
        "mask-specks",
        _WARNING,
        "a mask has specks",
        "Parts smaller than masks.min_part of the picture, far from what a person can be: the "
        "brush slipped, or a model's guess was not cleaned.",
        Freedom.SET,
    ),
    Rule(
        "mask-holes",
        _WARNING,
        "a mask has small holes",
        "Holes smaller than masks.min_hole of the picture are seldom seen through a person.",
        Freedom.SET,
    ),
    Rule(
        "mask-coarse",
        _WARNING,
        "a mask's outline is a polygon's",
        "More than masks.max_straight of the outline lies in long straight edges: coarse "
        "annotation, as public data has it.",
        Freedom.SET,
    ),
    Rule(
        "mask-on-nothing",
        _WARNING,
        "a mask's person lies where the picture shows nothing",
        "Under the mask the picture is one flat tone: the mask belongs to another picture, or to "
        "its blank border.",
        Freedom.SET,
    ),
    Rule(
        "mask-cut",
        _NOTE,
        "people are cut by the frame",
        "The person touches the picture's edge at the top or at a side. Usual, and good to count.",
        Freedom.SET,
    ),
    Rule(
        "mask-disagrees",
        _WARNING,
        "one picture has two different masks",
        "Both can't be right, and training pulls both ways. Keep the better one.",
        Freedom.SET,
    ),
)
