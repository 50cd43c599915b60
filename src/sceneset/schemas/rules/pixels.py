"""Rules on the content of image and mask files."""

from sceneset.schemas.rules.rule import Freedom, Rule, Severity

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

IMAGES = (
    Rule(
        "image-unreadable",
        _ERROR,
        "an image or mask can't be decoded completely",
        "Pixels are missing or damaged: the compressed data of a JPEG is cut off or invalid, or a "
        "PNG has a wrong checksum. Tolerant readers return gray areas instead. An unusual header "
        "that loses no pixels is accepted. Replace the file with a good copy.",
    ),
    Rule(
        "image-format",
        _ERROR,
        "the content of a file does not match its suffix",
        "Some readers choose the decoder by suffix, others by content. Convert the file to a JPEG "
        "or PNG with 8 bits per channel.",
    ),
    Rule(
        "image-too-large",
        _ERROR,
        "a file or image exceeds the limits in params.yaml",
        "It was not decoded, because a small file may expand to gigabytes, and a JPEG of hundreds "
        "of scans takes minutes. If it is correct, raise limits.max_pixels or limits.max_bytes; "
        "save a JPEG of many scans again.",
    ),
    Rule(
        "image-too-small",
        _ERROR,
        "an image is too small to show anything",
        "Its shorter side has fewer than limits.min_side pixels. Remove the sample.",
    ),
    Rule(
        "image-mode",
        _WARNING,
        "an image is not 8-bit RGB",
        "Readers convert gray, CMYK, palette, alpha and 16-bit images in different ways; of 16 "
        "bits per channel, the scan measures the upper 8. `sceneset fix` converts gray images to "
        "RGB; convert the others yourself.",
        Freedom.SET,
    ),
    Rule(
        "image-orientation",
        _WARNING,
        "an image has an EXIF orientation that its mask does not have",
        "Readers that apply EXIF rotate the image but not the mask, so the image and its mask are "
        "no longer aligned. `sceneset fix` rotates the pixels of both.",
        Freedom.SET,
    ),
    Rule(
        "image-gps",
        _WARNING,
        "an image contains GPS coordinates",
        "Its EXIF, XMP, text or camera data shows where it was taken. `sceneset fix` removes the "
        "coordinates without changing pixels.",
        Freedom.SET,
    ),
    Rule(
        "image-personal",
        _WARNING,
        "an image contains metadata that may be personal",
        "It has metadata besides colors, orientation and what decoders need: EXIF tags, comments, "
        "text, XMP, IPTC, C2PA, maker notes, other application data, or a thumbnail that may show "
        "parts that were cropped away. Names, serial numbers and places may be in all of them. "
        "`sceneset fix` removes everything that this rule reports, without changing pixels.",
        Freedom.SET,
    ),
    Rule(
        "image-profile",
        _WARNING,
        "the colors of an image are not sRGB",
        "Its ICC profile has other curves or primaries than sRGB, whatever its name says, or a PNG "
        "says so by a cICP, gAMA or cHRM chunk. Most readers ignore this, so they return wrong "
        "colors. Convert the image to sRGB.",
        Freedom.SET,
    ),
    Rule(
        "image-frames",
        _WARNING,
        "an image file contains several images",
        "It is an animation or a multi-picture JPEG (MPO), as phones write it; readers use only "
        "the first image.",
        Freedom.SET,
    ),
    Rule(
        "image-metadata",
        _WARNING,
        "an image has damaged metadata",
        "The pixels can be decoded, but some readers fail on the metadata. `sceneset fix` removes "
        "it.",
        Freedom.SET,
    ),
    Rule(
        "image-trailing",
        _WARNING,
        "there are bytes after the end of an image",
        "A camera may have added them, or they may be hidden data. `sceneset fix` removes them.",
        Freedom.SET,
    ),
    Rule(
        "image-progressive",
        _NOTE,
        "an image is progressive or interlaced",
        "It takes longer to decode, and hardware decoders may not support it.",
        Freedom.SET,
    ),
)

MASKS = (
    Rule(
        "size-differs",
        _ERROR,
        "an image and its mask have different sizes",
        "mmsegmentation does not compare the sizes, so it would train with misaligned masks. "
        "Annotate the image at its own size.",
    ),
    Rule(
        "mask-mode",
        _ERROR,
        "a mask does not have a single channel of 8 bits",
        "For example, Pillow reads a palette PNG as indices, but OpenCV reads it as colors. Save "
        "the class numbers as an 8-bit gray PNG.",
    ),
    Rule(
        "mask-values",
        _ERROR,
        "a mask contains values other than 0, 1 and 255",
        "0 is background, 1 is person and 255 is ignored. Other values, such as instance numbers, "
        "cause an IndexError in training or a wrong class. Map them to these three values.",
    ),
    Rule(
        "mask-soft",
        _ERROR,
        "a mask has soft edges, like an alpha matte",
        "Values between background and person are not classes. Threshold them at half, or set the "
        "edge to 255.",
    ),
    Rule(
        "mask-0-255",
        _ERROR,
        "a mask marks the person with 255, which means ignored",
        "No mask of the delivery uses 1. Training would run without an error, but learn from "
        "background only. `sceneset fix` changes 255 to 1 if no mask has class numbers. Where "
        "other masks use 1, a mask of 0 and 255 is no error: nobody is there, and 255 marks "
        "ignored areas (mask-empty).",
    ),
    Rule(
        "mask-metadata",
        _WARNING,
        "a mask contains metadata or bytes after its end",
        "Text, XMP or EXIF in a mask may name an annotator or a place. `sceneset fix` removes it "
        "without changing pixels.",
        Freedom.SET,
    ),
    Rule(
        "mask-orientation",
        _WARNING,
        "a mask has an EXIF orientation of its own",
        "Readers that apply EXIF rotate the mask but not the image. `sceneset fix` removes the tag "
        "or rotates the pixels where the sizes show which is right; otherwise look at the mask.",
        Freedom.SET,
    ),
    Rule(
        "mask-empty",
        _WARNING,
        "a mask shows no person",
        "This is correct for an image without people, but often a mistake. Check the image. A mask "
        "that holds 255 and no 1 is read as ignored where other masks use 1; if 255 means person "
        "in it, `sceneset fix --map 255=1` changes it.",
        Freedom.SET,
    ),
    Rule(
        "mask-full",
        _WARNING,
        "a mask covers the whole image",
        "It has no background. The mask may be inverted or filled by mistake.",
        Freedom.SET,
    ),
    Rule(
        "mask-ignored",
        _WARNING,
        "a large part of a mask is ignored",
        "More than masks.max_ignore of the image has value 255, which training ignores.",
        Freedom.SET,
    ),
    Rule(
        "mask-specks",
        _WARNING,
        "a mask has specks",
        "It has parts that are smaller than masks.min_part of the image, which is too small for a "
        "person. They are annotation mistakes or unfiltered output of a model, which may consist "
        "of many thousands. Remove them.",
        Freedom.SET,
    ),
    Rule(
        "mask-holes",
        _WARNING,
        "a mask has small holes",
        "It has holes that are smaller than masks.min_hole of the image. Real gaps in a person are "
        "rarely so small. Fill them.",
        Freedom.SET,
    ),
    Rule(
        "mask-coarse",
        _WARNING,
        "the outline of a mask is a coarse polygon",
        "More than masks.max_straight of the outline consists of long straight edges, which is "
        "typical of coarse annotations in public datasets.",
        Freedom.SET,
    ),
    Rule(
        "mask-on-nothing",
        _WARNING,
        "a mask marks a person where the image has a uniform color",
        "The pixels under the mask differ by less than masks.min_contrast. The mask may belong to "
        "another image, or lie on a blank border.",
        Freedom.SET,
    ),
    Rule(
        "mask-cut",
        _NOTE,
        "a person is cut off by the image border",
        "The mask touches the top, left or right border. This is common; the note only lets you "
        "count such samples.",
        Freedom.SET,
    ),
    Rule(
        "mask-disagrees",
        _WARNING,
        "two copies of an image have different masks",
        "At most one of them is right, and training would get contradictory labels. Keep the "
        "better one.",
        Freedom.SET,
    ),
)
