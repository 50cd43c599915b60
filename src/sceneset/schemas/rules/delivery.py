"""Rules on deliveries: their folders, their split files and the names of their samples."""

from sceneset.schemas.rules.rule import Freedom, Rule, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

DELIVERY = (
    Rule(
        "layout",
        _ERROR,
        "a delivery does not have the required folder layout",
        "Put images into img_dir/<phase>, masks into ann_dir/<phase> and split files, if any, into "
        "split_dir. Phases are train, val and test. Folders must be real folders, not links.",
    ),
    Rule(
        "format-unclear",
        _ERROR,
        "a delivery in an annotation format can be read in more than one way",
        "What the values of a mask mean, which class is person or how an image is turned changes "
        "every mask. Nothing is guessed: give the option that the finding names.",
    ),
    Rule(
        "annotation-broken",
        _ERROR,
        "an annotation of a delivery can't be read",
        "A file is truncated, a polygon has too few points or is outside of the image, run lengths "
        "do not fill the image, or an id is used twice. Correct the annotation; with --quarantine, "
        "`sceneset add` leaves the sample out.",
    ),
    Rule(
        "archive-broken",
        _ERROR,
        "an archive of a delivery can't be read",
        "The archive is truncated, has too many members, unpacks to far more than its size, or is "
        "of a kind that is not read. Get it again, or unpack it and deliver the folder.",
    ),
    Rule(
        "archive-member",
        _ERROR,
        "a member of an archive is not extracted",
        "Links, devices, encrypted members, a name that is used twice and names that lead out of "
        "the archive's folder are never extracted: a delivery must not be able to write elsewhere. "
        "Pack the archive again; with --quarantine, `sceneset add` leaves the member out.",
    ),
    Rule(
        "shape-ignored",
        _WARNING,
        "an annotation has shapes that can't become a part of a mask",
        "Points, lines and boxes do not say which pixels are person. They are left out of the mask "
        "and not counted as persons. If they stand for people, annotate these as areas.",
    ),
    Rule(
        "stray-file",
        _ERROR,
        "a file is in a place where it is not expected",
        "Nothing would read the file, and its absence would not be noticed. Remove it, or move it "
        "to the right folder.",
    ),
    Rule(
        "junk-file",
        _WARNING,
        "a file of the operating system is ignored",
        "Files such as .DS_Store and Thumbs.db are not added. Nothing needs to be done.",
    ),
    Rule(
        "suffix",
        _ERROR,
        "a file has a different suffix than its folder requires",
        "mmsegmentation expects one suffix for all images of a dataset, and upper and lower case "
        "matter. It silently ignores a .JPG or .png file among .jpg files. `sceneset fix` renames "
        "a JPEG that is named .JPG, .jpeg, .jpe, .jfif or .insp; convert other files yourself.",
    ),
    Rule(
        "mask-missing",
        _ERROR,
        "an image has no mask",
        "Training would fail when it reaches the image. Annotate the image, or remove it.",
    ),
    Rule(
        "image-missing",
        _ERROR,
        "a mask has no image",
        "Add the image with the same stem, or remove the mask.",
    ),
    Rule(
        "split-encoding",
        _ERROR,
        "a split file is not UTF-8 or starts with a byte order mark",
        "mmsegmentation reads the byte order mark as part of the first stem and does not find that "
        "image. Save the file as UTF-8 without a byte order mark.",
    ),
    Rule(
        "split-line-ends",
        _WARNING,
        "a split file has Windows line endings",
        "The registry writes it with LF line endings. Nothing needs to be done.",
    ),
    Rule(
        "split-blank-line",
        _ERROR,
        "a split file has a blank line",
        "mmsegmentation reads it as an image named '.jpg'. Delete the line.",
    ),
    Rule(
        "split-unsafe-line",
        _ERROR,
        "a line of a split file points to another folder",
        "An absolute path or '..' makes a reader open a different file. Write only the stem.",
    ),
    Rule(
        "split-duplicate-line",
        _ERROR,
        "a split file lists an image twice",
        "Training would use the image twice per epoch. Delete one of the lines.",
    ),
    Rule(
        "split-unknown-stem",
        _ERROR,
        "a line of a split file matches no image",
        "Correct the line (it must be the stem of an image, without a suffix), or delete it.",
    ),
    Rule(
        "split-phases",
        _WARNING,
        "a split file mixes phases",
        "mmsegmentation needs one split file per phase, so the registry writes a file for each "
        "phase. Nothing needs to be done.",
    ),
    Rule(
        "split-name",
        _WARNING,
        "a split file has another name than the registry gives it",
        "It is named by another name of its scene, for example skiing.txt for ski. Its samples are "
        "added to the row of the scene, which is written to <scene>.txt. Nothing needs to be done.",
    ),
    Rule(
        "split-incomplete",
        _ERROR,
        "the split file of all samples does not list all samples",
        "Add the missing lines, or rename the file if it lists only a part of the samples.",
    ),
    Rule(
        "split-differs",
        _ERROR,
        "a delivered split file does not match the tags",
        "With --tags, the tags decide which samples a split file lists, and delivered split files "
        "are compared with them. Correct the tags or the split file.",
    ),
    Rule(
        "no-scene",
        _WARNING,
        "a sample has no scene",
        "Only the split file of all samples lists it. Tag it with a scene if it has one.",
    ),
)

NAMES = (
    Rule(
        "stem-unsafe",
        _ERROR,
        "a file name can break readers or point to another folder",
        "Names must not contain control characters, characters that reverse the direction of the "
        "text (U+202E: the name shown differs from the real one) or slashes, start with a dot, "
        "start or end with white space, be a device name on Windows, or exceed 200 bytes. Rename "
        "the image, its mask and its lines in split files; `sceneset fix` does this.",
    ),
    Rule(
        "stem-duplicate",
        _ERROR,
        "two files have the same stem, or stems that differ only in case or Unicode normal form",
        "On Windows and macOS, one of the files would overwrite the other. Rename one sample; "
        "`sceneset fix` leaves both as they are.",
    ),
    Rule(
        "name-dot",
        _WARNING,
        "a stem contains a dot",
        "WebDataset uses the part before the first dot as the key of a sample, and other readers "
        "that split names at the first dot find no mask. `sceneset fix` replaces dots with '_'.",
        Freedom.SET,
    ),
    Rule(
        "name-space",
        _WARNING,
        "a stem contains white space",
        "Shell scripts, and readers that split lines at white space, treat it as two names. "
        "`sceneset fix` replaces white space with '_'.",
        Freedom.SET,
    ),
    Rule(
        "name-normal-form",
        _WARNING,
        "a stem is not in Unicode normal form NFC",
        "macOS may store a letter and its accent as two characters (NFD). A split file that was "
        "typed elsewhere then has different bytes and matches no file. `sceneset fix` converts "
        "the names of image and mask and the lines of split files to NFC.",
        Freedom.SET,
    ),
    Rule(
        "name-windows",
        _WARNING,
        "a stem is not a valid file name on Windows",
        'It contains one of < > : " | ? * or ends with a dot. `sceneset fix` replaces these '
        "characters with '_'.",
        Freedom.SET,
    ),
    Rule(
        "name-start",
        _WARNING,
        "a stem starts with =, +, @ or -",
        "A spreadsheet that opens the tags reads such a cell as a formula and may run it, and a "
        "program that gets the name as an argument reads it as an option (-rf). `sceneset fix` "
        "removes these characters from the start of the name.",
        Freedom.SET,
    ),
    Rule(
        "name-invisible",
        _WARNING,
        "a stem contains a character that is not shown",
        "A zero-width space, a soft hyphen, a byte order mark or a joiner makes two names look the "
        "same, and a name that is typed matches no file. `sceneset fix` replaces these characters "
        "with '_' and removes them at both ends.",
        Freedom.SET,
    ),
)
