"""Rules of a delivery: its folders, its names, its split files."""

from sceneset.schemas.rules.rule import Freedom, Rule, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

DELIVERY = (
    Rule(
        "layout",
        _ERROR,
        "a delivery is not in the document's layout",
        "It is img_dir/<phase>, ann_dir/<phase> and, if there are any, split files in split_dir; "
        "phases are train, val and test. Plain folders, no links.",
    ),
    Rule(
        "stray-file",
        _ERROR,
        "a file does not belong where it stands",
        "Nothing would read it, and nobody would miss it. Take it out, or put it where it belongs.",
    ),
    Rule(
        "junk-file",
        _WARNING,
        "a file an operating system leaves behind; it is not taken",
        ".DS_Store, Thumbs.db and the like. Nothing is to be done.",
    ),
    Rule(
        "suffix",
        _ERROR,
        "a file has another suffix than its folder's",
        "mmsegmentation takes one exact suffix for all images of a data set, in this very case; a "
        ".JPG or .png among .jpg files is never found, without a word. Convert or rename it.",
    ),
    Rule(
        "mask-missing",
        _ERROR,
        "an image has no mask",
        "Readers fail on it in the middle of training. Annotate it, or take the image out.",
    ),
    Rule(
        "image-missing",
        _ERROR,
        "a mask has no image",
        "Deliver the image under the mask's stem, or take the mask out.",
    ),
    Rule(
        "split-encoding",
        _ERROR,
        "a split file begins with a byte order mark or is not UTF-8",
        "mmsegmentation joins the mark to the first stem and misses that image. Save it as UTF-8 "
        "without a mark.",
    ),
    Rule(
        "split-line-ends",
        _WARNING,
        "a split file has Windows line ends; it is written with LF",
        "Nothing is to be done.",
    ),
    Rule(
        "split-blank-line",
        _ERROR,
        "a split file has a blank line",
        "mmsegmentation reads it as the image '.jpg'. Delete the line.",
    ),
    Rule(
        "split-unsafe-line",
        _ERROR,
        "a line of a split file leaves its folder",
        "An absolute path or '..' makes a reader open another file. Write the stem alone.",
    ),
    Rule(
        "split-duplicate-line",
        _ERROR,
        "a split file names one image twice",
        "It would weigh double. Delete one of the lines.",
    ),
    Rule(
        "split-unknown-stem",
        _ERROR,
        "a line of a split file names no image",
        "Mend the name (it is the stem, without a suffix), or delete the line.",
    ),
    Rule(
        "split-phases",
        _WARNING,
        "a split file mixes phases; each phase gets a file of its own",
        "mmsegmentation reads one phase through one split file.",
    ),
    Rule(
        "split-incomplete",
        _ERROR,
        "the file of all samples leaves some out",
        "Its total is not one. Add the lines, or rename the file if it means a part.",
    ),
    Rule(
        "split-differs",
        _ERROR,
        "a delivered split file is not what the tags say",
        "With --tags the tags are the truth, and split files are compared with them. Mend either.",
    ),
    Rule(
        "no-scene",
        _WARNING,
        "a sample stands in no scene",
        "It is in the total alone. Tag it, or leave it so.",
    ),
)

NAMES = (
    Rule(
        "stem-unsafe",
        _ERROR,
        "a name breaks readers or leaves its folder",
        "Control characters, slashes, leading dots, white space at an end, names of Windows "
        "devices, more than 200 bytes. Rename the image, its mask and its lines; `sceneset fix` "
        "does it.",
    ),
    Rule(
        "stem-duplicate",
        _ERROR,
        "two files have one stem, or differ in case or normal form alone",
        "On Windows and macOS one would overwrite the other. Rename one of the samples.",
    ),
    Rule(
        "name-dot",
        _WARNING,
        "a stem holds a dot",
        "WebDataset takes a name up to its first dot for the key, and readers that split at the "
        "first dot find no mask. `sceneset fix` puts '_' there.",
        Freedom.SET,
    ),
    Rule(
        "name-space",
        _WARNING,
        "a stem holds white space",
        "Shell scripts and readers that split lines take it for two names. `sceneset fix` puts '_' "
        "there.",
        Freedom.SET,
    ),
    Rule(
        "name-normal-form",
        _WARNING,
        "a stem is not in Unicode's normal form NFC",
        "macOS writes accents as letters of their own (NFD); a split file typed elsewhere names "
        "other bytes and finds nothing. `sceneset fix` composes it.",
        Freedom.SET,
    ),
    Rule(
        "name-windows",
        _WARNING,
        "a stem can't be a file on Windows",
        "It holds one of < > : \" | ? * or ends in a dot. `sceneset fix` puts '_' there.",
        Freedom.SET,
    ),
)
