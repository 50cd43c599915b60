"""Rules of kinds, and of how images are related to each other."""

from sceneset.schemas.rules.rule import Freedom, Rule, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

KINDS = (
    Rule(
        "person-small",
        _WARNING,
        "in a full subset, the person takes little of the picture",
        "Less than kinds.min_person of it. Full subsets show the person as the main thing.",
        Freedom.SET,
    ),
    Rule(
        "person-scattered",
        _WARNING,
        "a single person is in pieces, or more than one person",
        "The largest part is less than kinds.min_main of the person's pixels. Occlusion does this, "
        "and so does a sample that should be multi.",
        Freedom.SET,
    ),
    Rule(
        "persons-untold",
        _WARNING,
        "in a full subset, a scene's row does not say single or multi",
        "The document tells every scene of a full subset apart into single and multi. Say persons "
        "in the row.",
        Freedom.SET,
    ),
    Rule(
        "crop-multi",
        _ERROR,
        "a crop shows several persons",
        "A crop is cut out around one person. Tag it single, cut it closer, or put it into a full "
        "subset.",
        Freedom.WAIVE,
    ),
    Rule(
        "crop-boxes",
        _WARNING,
        "a crop does not say how many boxes its original has",
        "The scene table of a crop subset gives the boxes. Fill the tags' boxes column.",
        Freedom.SET,
    ),
    Rule(
        "crop-origin",
        _WARNING,
        "a crop does not say where it was cut out",
        "Give the original in the tags' source column, and the box in its origin column as left "
        "top right bottom, in the original's pixels.",
        Freedom.SET,
    ),
    Rule(
        "crop-overlap",
        _ERROR,
        "two crops of one original overlap",
        "By more than kinds.max_overlap of the smaller: they show the same pixels, and so the same "
        "person twice. Keep one.",
        Freedom.WAIVE,
    ),
)

LEAKAGE = (
    Rule(
        "leak-bytes",
        _ERROR,
        "a held-out image is trained on",
        "The very file stands on both sides. Put both into one phase, or take one out.",
    ),
    Rule(
        "leak-pixels",
        _ERROR,
        "a held-out image has the pixels of one that is trained on",
        "Another file, the same picture: size, colour sums and look are equal. Put both into one "
        "phase, or take one out.",
    ),
    Rule(
        "leak-near",
        _ERROR,
        "a held-out image looks like one that is trained on",
        "Their perceptual hashes differ in at most leakage.near bits, mirrored or not: re-encoded, "
        "scaled, brightened, lightly cropped copies and neighbouring frames do. Put both on one "
        "side; if they do differ, waive it.",
        Freedom.WAIVE,
    ),
    Rule(
        "leak-source",
        _ERROR,
        "a held-out image is of a source that is trained on",
        "Pictures of one video, session or original are related even where they do not look alike. "
        "Put all of one source into one phase.",
        Freedom.WAIVE,
    ),
    Rule(
        "leak-tested",
        _ERROR,
        "a training image was a test image of a version",
        "What was reported on that test set would be worth nothing. Put it back, or take it out.",
    ),
    Rule(
        "leak-review",
        _WARNING,
        "a held-out image may be related to one that is trained on",
        "Wider apart than leakage.near, up to leakage.review bits, and a second hash (PDQ) agrees. "
        "Look at both; give related ones one source and one phase.",
        Freedom.SET,
    ),
    Rule(
        "duplicate-bytes",
        _WARNING,
        "two images of a phase have the same bytes",
        "The picture weighs double. Take one out, if that is not meant.",
        Freedom.SET,
    ),
    Rule(
        "duplicate-near",
        _WARNING,
        "two images of a phase look alike",
        "Copies weigh double. Take one out, if that is not meant.",
        Freedom.SET,
    ),
    Rule(
        "clip-undeclared",
        _WARNING,
        "images look like frames of a clip and name no source",
        "Neighbouring frames are found by their looks, frames ten apart are not. Write the clip "
        "into the tags' source column, and the gate keeps it on one side.",
        Freedom.SET,
    ),
)
