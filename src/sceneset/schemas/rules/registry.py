"""Rules of the registry's own files, of releases and of the remote."""

from sceneset.schemas.rules.rule import Freedom, Rule, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

FILES = (
    Rule(
        "file-missing",
        _ERROR,
        "a file the registry needs is not there",
        "Every listed subset has an entry, tags and two .dvc files. Restore the file with git, or "
        "take the subset out of params.yaml.",
    ),
    Rule(
        "disk-full",
        _ERROR,
        "there is less room than is needed",
        "Room is asked for before anything is written. An add needs twice the delivery: DVC keeps "
        "a copy in its cache. `dvc gc -w` frees what no state uses.",
    ),
    Rule(
        "file-unreadable",
        _ERROR,
        "a file can't be read, is too large or is not UTF-8",
        "Texts are UTF-8 and of bounded size, and nothing is read through a pipe or a device. Save "
        "the file again as UTF-8, or look at its permissions.",
    ),
    Rule(
        "yaml-broken",
        _ERROR,
        "a YAML file does not parse",
        "The row is where the parser gave up; the mistake is there or just above. Quote texts that "
        "hold ': ' or begin with a special character.",
    ),
    Rule(
        "yaml-alias",
        _ERROR,
        "a YAML file uses anchors, aliases or tags",
        "They let a small file grow without bound or make objects when it is read. Write the value "
        "out where it is used.",
    ),
    Rule(
        "csv-broken",
        _ERROR,
        "a CSV file does not parse or has other columns",
        "Tags have one header line and as many values in each row; a value with a comma stands in "
        "double quotes. Spreadsheets must save as CSV UTF-8 with commas.",
    ),
    Rule(
        "schema",
        _ERROR,
        "a field has a value its schema refuses",
        "The message names the field and what it takes. Editors that know JSON Schema check while "
        "you type: the first line of each YAML file names its schema.",
    ),
    Rule(
        "subset-name",
        _ERROR,
        "a subset's name is not CustomSeg_Person_<date>_<note>",
        "The date is a day of the calendar as YYYYMMDD; the note is letters, digits, '_' and '-'.",
    ),
    Rule(
        "subset-exists",
        _ERROR,
        "a subset of that name is registered already",
        "A delivery becomes a new subset. To grow one that is there, put files and tags in place "
        "and run `dvc add` and `dvc repro`.",
    ),
    Rule(
        "unfinished-add",
        _ERROR,
        "an add was cut off, or is at work",
        "The next `sceneset add` takes back what a cut-off one left. If another is at work, wait.",
    ),
    Rule(
        "unfinished-change",
        _ERROR,
        "a forget or fix was cut off, or is at work",
        "It had begun to write files. Give the same command again: it ends the change first.",
    ),
    Rule(
        "locked",
        _ERROR,
        "another command is writing",
        "Commands that write to one registry take turns. Wait for the other to end.",
    ),
    Rule(
        "forgotten",
        _ERROR,
        "an image has been withdrawn",
        "Its hash stands in registry/forgotten.yaml: somebody asked that it be used no more. Leave "
        "the sample out, or `sceneset forget` it again.",
    ),
    Rule(
        "forgotten-near",
        _WARNING,
        "an image looks like one that has been withdrawn",
        "It may be the same picture encoded anew. Look at it; if it is, leave it out.",
        Freedom.SET,
    ),
    Rule(
        "waiver-stale",
        _WARNING,
        "a waiver accepts a finding that is not there any more",
        "The sample was mended, renamed or taken out. Delete the waiver, so that it can't hide "
        "something new.",
    ),
    Rule(
        "not-registered",
        _WARNING,
        "a file belongs to a subset that params.yaml does not list",
        "Nothing reads it. List the subset, or delete the file.",
        Freedom.SET,
    ),
    Rule(
        "unknown-scene",
        _ERROR,
        "a scene is not in the vocabulary",
        "Scenes are written by their keys; `sceneset scenes` lists them. Mend the spelling, or add "
        "the scene to registry/scenes.yaml.",
    ),
    Rule(
        "unknown-split-file",
        _ERROR,
        "a split file's name fits no scene of the vocabulary",
        "The name is <scene>.txt or <scene>_single/multi..., by any of the scene's names. Rename "
        "it, add the scene to registry/scenes.yaml, or give the file a row in --entry.",
    ),
    Rule(
        "tag-duplicate",
        _ERROR,
        "one sample has two rows of tags",
        "Put all its scenes into one row, apart by ';'.",
    ),
    Rule(
        "tag-without-image",
        _ERROR,
        "a row of tags names no image",
        "Put the image and its mask back and scan again, or delete the row.",
    ),
    Rule(
        "image-without-tag",
        _ERROR,
        "an image has no row of tags",
        "A sample without tags stands in no view. Add a row with its phase and stem at least.",
    ),
    Rule(
        "row-duplicate",
        _ERROR,
        "two rows of a scene table share a file or select the same",
        "One of them would overwrite the other. Take one out, or let them differ.",
    ),
    Rule(
        "row-missing",
        _WARNING,
        "tagged samples stand in no row of the scene table",
        "They are in the total, and in no split file of their scene. Add the row that is shown.",
        Freedom.SET,
    ),
    Rule(
        "row-left-out",
        _WARNING,
        "a row lost its last sample to the quarantine",
        "A split file without a line is refused by mmsegmentation, so the row is left out.",
    ),
    Rule(
        "row-empty",
        _ERROR,
        "a row of the scene table selects no sample",
        "mmsegmentation refuses an empty split file. Tag samples with the scene, or take the row "
        "out.",
    ),
    Rule(
        "count-differs",
        _ERROR,
        "a declared number of images is not the counted one",
        "The number was typed by hand and the samples were counted. Mend whichever is wrong, or "
        "leave the declared number out.",
    ),
    Rule(
        "persons-conflict",
        _WARNING,
        "a sample is single in one scene and multi in another",
        "Both are kept as written. A picture with a skier before a crowd may be both; if one is a "
        "slip, mend its tags.",
        Freedom.SET,
    ),
    Rule(
        "scan-missing",
        _ERROR,
        "a listed subset has no scan",
        "Run `dvc repro` where its images are (`dvc pull` gets them).",
    ),
    Rule(
        "scan-broken",
        _ERROR,
        "a scan file can't be read or is of another format",
        "Restore it with git, or delete it and run `dvc repro` where the images are.",
    ),
    Rule(
        "scan-incomplete",
        _ERROR,
        "fewer or other files than registered were found",
        "A folder that was pulled in part must not become the new truth. `dvc checkout` restores "
        "it; if the change is meant, `dvc add` the folder.",
    ),
)

RELEASES = (
    Rule(
        "release-dirty",
        _ERROR,
        "something is not committed",
        "A version is a commit. Commit, or put the change aside.",
    ),
    Rule(
        "release-stale",
        _ERROR,
        "the pipeline's outputs are not current",
        "Run `dvc repro --allow-missing` and commit what it changed.",
    ),
    Rule(
        "release-number",
        _ERROR,
        "a version number is not after the last one",
        "Numbers go up. `sceneset versions` lists those that are taken.",
    ),
    Rule(
        "release-same",
        _ERROR,
        "the state has a version already",
        "Two names for one state would let people think it changed. Use the version that is there.",
    ),
    Rule(
        "release-step",
        _ERROR,
        "a version number moves less than the changes ask for",
        "Samples that went or masks that changed ask for a major step, new samples or scenes for a "
        "minor one, words for a patch. The samples that force it are named.",
    ),
    Rule(
        "version-unread",
        _WARNING,
        "a version can't be searched",
        "Its history was cut off (git fetch --unshallow --tags), or its scans are of an older "
        "format. What it has tested is not known to `leak-tested`.",
        Freedom.SET,
    ),
    Rule(
        "blob-absent",
        _ERROR,
        "a blob is not on the remote",
        "Nobody else could pull it. `dvc push`, or `sceneset verify --repair` where it is cached.",
    ),
    Rule(
        "blob-damaged",
        _ERROR,
        "a blob on the remote is not what its name says",
        "Blobs are named by their content. `sceneset verify --repair` puts a good copy back.",
    ),
    Rule(
        "blob-unread",
        _ERROR,
        "a blob can't be read from the remote",
        "The remote refused or went away. The message says how; try again when it answers.",
    ),
)
