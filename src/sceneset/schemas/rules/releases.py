"""Rules on releases and on the blobs of the remote."""

from sceneset.schemas.rules.rule import Freedom, Rule, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

RELEASES = (
    Rule(
        "release-dirty",
        _ERROR,
        "there are uncommitted changes",
        "A version is a git commit, so it can't contain uncommitted changes. Files of the state "
        "are compared with the commit by content: `git status` can be told not to show some "
        "changes. Commit or stash them.",
    ),
    Rule(
        "release-stale",
        _ERROR,
        "the outputs of the pipeline are not up to date",
        "Run `dvc repro --allow-missing` and commit the changed files.",
    ),
    Rule(
        "release-number",
        _ERROR,
        "the version number is not greater than the last one",
        "Version numbers must increase. `sceneset versions` lists the existing versions.",
    ),
    Rule(
        "release-same",
        _ERROR,
        "the current state has already been released",
        "Two versions of the same state would suggest that the data changed. Use the existing "
        "version.",
    ),
    Rule(
        "release-step",
        _ERROR,
        "the version number increases less than the changes require",
        "Removed samples or changed masks require a major version, new samples or scenes a minor "
        "version, changed texts a patch version. The message lists the samples that require it.",
    ),
    Rule(
        "release-drift",
        _ERROR,
        "a scene changed more than params.yaml allows without release notes",
        "Users of a version should learn why a scene has far more or fewer images, other colors, "
        "another size or another share of person pixels. Write it with `release --notes`, or "
        "change the limits under `drift` in params.yaml. New scenes are not compared.",
    ),
    Rule(
        "version-signature",
        _ERROR,
        "the tag of a version has no valid signature of a key that you trust",
        "`sceneset verify --signed` verifies the tag with the keys of your own git configuration. "
        "`sceneset release --sign` signs a tag. A signature of an unknown key proves nothing about "
        "who released the version.",
    ),
    Rule(
        "version-unread",
        _WARNING,
        "the samples of a version can't be read",
        "The clone is shallow (run `git fetch --unshallow --tags`), or the scans of the version "
        "have an older format. `leak-tested` does not know the test images of this version.",
        Freedom.SET,
    ),
    Rule(
        "blob-absent",
        _ERROR,
        "a blob is missing on the remote",
        "Nobody else can pull it. Run `dvc push`, or `sceneset verify --repair` on a machine that "
        "has the blob in its cache.",
    ),
    Rule(
        "blob-damaged",
        _ERROR,
        "the content of a blob on the remote does not match its hash",
        "The blob is named after the hash of its content, so it is damaged or was replaced. "
        "`sceneset verify --repair` uploads a good copy.",
    ),
    Rule(
        "blob-unread",
        _ERROR,
        "a blob can't be read from the remote",
        "The remote refused the request or did not respond; the message has the details. Try "
        "again when the remote is available.",
    ),
)
