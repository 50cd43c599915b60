"""Rules on the two kinds of subsets, and on images that are related to each other."""

from sceneset.schemas.rules.rule import Freedom, Rule, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

KINDS = (
    Rule(
        "person-small",
        _WARNING,
        "the person covers little of an image in a full subset",
        "Person pixels are less than kinds.min_person of the image. In full subsets, people are "
        "the main subject of the image. Check whether the sample belongs here.",
        Freedom.SET,
    ),
    Rule(
        "person-scattered",
        _WARNING,
        "the mask of a single person is scattered over several parts",
        "The largest part has less than kinds.min_main of the person's pixels. The person may be "
        "occluded, or the sample shows several persons and must be tagged multi.",
        Freedom.SET,
    ),
    Rule(
        "persons-untold",
        _WARNING,
        "a row of a full subset specifies neither single nor multi",
        "The document divides every scene of a full subset into single and multi. Set persons in "
        "the row.",
        Freedom.SET,
    ),
    Rule(
        "crop-multi",
        _ERROR,
        "a crop shows several persons",
        "A crop must show one person. Tag it single if it does, crop it more closely, or move it "
        "to a full subset.",
        Freedom.WAIVE,
    ),
    Rule(
        "crop-boxes",
        _WARNING,
        "a crop has no number of boxes",
        "The scene table of a crop subset shows the number of boxes. Fill in the boxes column of "
        "the tags.",
        Freedom.SET,
    ),
    Rule(
        "crop-origin",
        _WARNING,
        "a crop has no position in its original image",
        "Put the original image into the source column of the tags, and the box of the crop into "
        "the origin column, as left top right bottom in pixels of the original.",
        Freedom.SET,
    ),
    Rule(
        "crop-overlap",
        _ERROR,
        "two crops of one original image overlap",
        "They share more than kinds.max_overlap of the smaller crop, so the same person is in the "
        "dataset twice. Keep one of them.",
        Freedom.WAIVE,
    ),
)

LEAKAGE = (
    Rule(
        "leak-bytes",
        _ERROR,
        "a held-out image is also a training image",
        "The same file is in train and in val or test. Put both samples into the same phase, or "
        "remove one.",
    ),
    Rule(
        "leak-pixels",
        _ERROR,
        "a held-out image has the same pixels as a training image",
        "The files differ, but their decoded pixels are equal as a viewer shows them, with the "
        "EXIF orientation applied. Put both samples into the same phase, or remove one.",
    ),
    Rule(
        "leak-near",
        _ERROR,
        "a held-out image looks like a training image",
        "Their perceptual hashes, of one image and of the other in any of the eight orientations "
        "(turned, mirrored or both), differ in at most leakage.near bits. This is typical of "
        "copies that were re-encoded, scaled, brightened, turned or slightly cropped, and of "
        "adjacent video frames. Put both into the same phase; if the images are not related, "
        "waive the finding.",
        Freedom.WAIVE,
    ),
    Rule(
        "leak-source",
        _ERROR,
        "a held-out image has the same source as a training image",
        "Images of one video, session or original image are related even if they do not look "
        "alike. Names of sources are compared without regard to case, spaces, _ and -. An original "
        "image in a full subset and its crops have one source: the crops name it by its stem, "
        "SUBSET/STEM or SUBSET/PHASE/STEM. Put all images of a source into the same phase.",
        Freedom.WAIVE,
    ),
    Rule(
        "leak-tested",
        _ERROR,
        "a training image was a test image in a released version",
        "Results reported on that test set would no longer be comparable. The image is recognized "
        "by its file, by its pixels and by the lineage that `sceneset fix` records. Move it back "
        "to test, or remove it.",
    ),
    Rule(
        "leak-review",
        _WARNING,
        "a held-out image may be related to a training image",
        "Their perceptual hashes differ in more than leakage.near bits, but in at most "
        "leakage.review bits, and a second hash (PDQ) is close as well. Compare both images; if "
        "they are related, give them the same source and the same phase.",
        Freedom.SET,
    ),
    Rule(
        "duplicate-bytes",
        _WARNING,
        "two images of one phase are identical files",
        "Training uses the image twice per epoch. Remove one, unless this is intended.",
        Freedom.SET,
    ),
    Rule(
        "duplicate-near",
        _WARNING,
        "two images of one phase look alike",
        "Near-copies give one image more weight in training. Remove one, unless this is intended.",
        Freedom.SET,
    ),
    Rule(
        "clip-undeclared",
        _WARNING,
        "images look like frames of one video but have no source",
        "Perceptual hashes detect adjacent frames, but not frames that are further apart. Put the "
        "name of the video into the source column of the tags; `leak-source` then requires all "
        "its frames to be in the same phase.",
        Freedom.SET,
    ),
)
