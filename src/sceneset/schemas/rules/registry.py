"""Rules on the registry's own files: entries, tags, scans, waivers and params.yaml."""

from sceneset.schemas.rules.rule import Freedom, Rule, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

FILES = (
    Rule(
        "file-missing",
        _ERROR,
        "a required file does not exist",
        "Every registered subset needs an entry, tags and two .dvc files. Restore the file with "
        "git, or remove the subset from params.yaml.",
    ),
    Rule(
        "disk-full",
        _ERROR,
        "there is not enough free disk space",
        "Disk space is checked before anything is written. An add needs twice the size of the "
        "delivery and 10 % more, because DVC keeps a copy in its cache, and 1 kB a file for DVC's "
        "databases, which may be on another disk (/var/tmp). To free space, push first: "
        "`dvc push --all-branches --all-tags`. Then `dvc gc --all-branches --all-tags` deletes "
        "cached files that no branch and no tag uses.",
    ),
    Rule(
        "file-unreadable",
        _ERROR,
        "a file can't be read, is too large or is not UTF-8",
        "Text files must be UTF-8 and not too large; pipes and devices are not read. Save the file "
        "as UTF-8, or check its permissions.",
    ),
    Rule(
        "yaml-broken",
        _ERROR,
        "a YAML file has a syntax error",
        "The mistake is in the reported line or just above it. Put quotes around values that "
        "contain ': ' or start with a special character.",
    ),
    Rule(
        "yaml-alias",
        _ERROR,
        "a YAML file uses anchors, aliases or tags",
        "They allow a small file to expand without limit, or to create objects when it is loaded. "
        "Write the value out where it is used.",
    ),
    Rule(
        "csv-broken",
        _ERROR,
        "a CSV file has a syntax error or the wrong columns",
        "Tags need one header line and the same number of values in every row; put a value that "
        "contains a comma in double quotes. In a spreadsheet, export as CSV UTF-8 with commas.",
    ),
    Rule(
        "schema",
        _ERROR,
        "a field has an invalid value",
        "The message names the field and the allowed values. Editors with JSON Schema support "
        "check values as you type, because the first line of each YAML file names its schema.",
    ),
    Rule(
        "subset-name",
        _ERROR,
        "the name of a subset is not CustomSeg_Person_<date>_<note>",
        "The date must be a valid date, written YYYYMMDD; the note has letters, digits, '_' and "
        "'-'.",
    ),
    Rule(
        "subset-exists",
        _ERROR,
        "a subset with this name is already registered",
        "With --name, a delivery becomes a new subset. To add samples to a subset that exists, use "
        "`sceneset add DELIVERY --to SUBSET`.",
    ),
    Rule(
        "unfinished-add",
        _ERROR,
        "an add was interrupted or is still running",
        "If another add is running, wait for it. Otherwise run `sceneset add` again: it first "
        "undoes the interrupted add, or completes it if all its files were ready.",
    ),
    Rule(
        "unfinished-change",
        _ERROR,
        "a forget or fix was interrupted or is still running",
        "If another command is running, wait for it. Otherwise run the same command again: it "
        "first completes the interrupted change.",
    ),
    Rule(
        "locked",
        _ERROR,
        "another command is writing to the registry",
        "Only one command can write to a registry at a time. Wait until the other command ends.",
    ),
    Rule(
        "derived-stale",
        _ERROR,
        "a derived file is not what its sources give",
        "Split files, statistics, cards, reports and the manifest are computed from tags, entries "
        "and scans. DVC considers this file up to date, because dvc.lock records its content, "
        "but the sources give other lines: somebody edited the file and ran `dvc commit`, or a "
        "merge went wrong. Run the command of the hint, and commit what it writes.",
    ),
    Rule(
        "merge-conflict",
        _ERROR,
        "both sides of a merge changed the same value",
        "`sceneset merge` merges the registry's files sample by sample and field by field. Here "
        "the two branches gave one field different values, so people have to choose: edit the "
        "file and stage it with `git add`, or take one side for all conflicts with --ours or "
        "--theirs. Then run `sceneset merge` again.",
    ),
    Rule(
        "tombstone-lost",
        _ERROR,
        "a merge dropped the record of a withdrawal",
        "A tombstone in the history of this commit is missing in registry/forgotten.yaml, and no "
        "commit removed it on purpose: a merge kept only the file of one side. Such images are "
        "still left out of `sceneset pull`. Copy the rows that the message names into the file, "
        "and commit it. To take a withdrawal back, remove its rows in a commit of its own.",
    ),
    Rule(
        "forgotten",
        _ERROR,
        "an image has been withdrawn",
        "Its file or its pixels are in registry/forgotten.yaml, as hashes, because someone asked "
        "that it no longer be used. Remove the sample, or withdraw it again with "
        "`sceneset forget`.",
    ),
    Rule(
        "forgotten-near",
        _WARNING,
        "an image looks like a withdrawn image",
        "It may be a re-encoded, turned or mirrored copy. Check it, and remove it if it is the "
        "same image.",
        Freedom.SET,
    ),
    Rule(
        "waiver-stale",
        _WARNING,
        "a waiver accepts a finding that no longer exists",
        "The sample was fixed, renamed or removed. Delete the waiver, so that it can't hide a new "
        "finding.",
    ),
    Rule(
        "git-ignored",
        _WARNING,
        "git ignores a file of the registry",
        "`git add .` leaves the file out without a message, so a commit would miss it, and "
        "`sceneset release` refuses the state. Ignore files can be in the repository, in "
        ".git/info/exclude, or the user's own (core.excludesFile). Change the reported line, or "
        "add the file with `git add --force`.",
    ),
    Rule(
        "not-registered",
        _WARNING,
        "a file belongs to a subset that params.yaml does not list",
        "Nothing reads the file. List the subset in params.yaml, or delete the file.",
        Freedom.SET,
    ),
    Rule(
        "unknown-scene",
        _ERROR,
        "a scene is not in the vocabulary",
        "Scenes are written as keys; `sceneset scenes` lists them. Correct the key, or add the "
        "scene to registry/scenes.yaml.",
    ),
    Rule(
        "unknown-split-file",
        _ERROR,
        "the name of a split file matches no scene of the vocabulary",
        "The name must be any of the names of one scene, with an optional ending for the persons "
        "(_single, _multi, _multiperson...) and for the phase, for example ski.txt, 滑雪.txt, "
        "skiing_single.txt or ski_multi_val.txt. Rename the file, add the scene to "
        "registry/scenes.yaml, or give the file a row in --entry.",
    ),
    Rule(
        "tag-duplicate",
        _ERROR,
        "a sample has two rows of tags",
        "Put all its scenes into one row, separated by ';'.",
    ),
    Rule(
        "tag-without-image",
        _ERROR,
        "a row of tags matches no image",
        "Restore the image and its mask and scan again, or delete the row.",
    ),
    Rule(
        "image-without-tag",
        _ERROR,
        "an image has no row of tags",
        "No split file lists a sample without tags. Add a row with at least its phase and stem.",
    ),
    Rule(
        "row-duplicate",
        _ERROR,
        "two rows of a scene table have the same split file or select the same samples",
        "One split file would overwrite the other. Remove one row, or change it.",
    ),
    Rule(
        "row-missing",
        _WARNING,
        "tagged samples are in no row of the scene table",
        "Only the split file of all samples lists them. Add the row that the message shows.",
        Freedom.SET,
    ),
    Rule(
        "row-left-out",
        _WARNING,
        "a row lost all its samples to the quarantine",
        "mmsegmentation rejects empty split files, so the row was removed. Nothing needs to be "
        "done.",
    ),
    Rule(
        "row-empty",
        _ERROR,
        "a row of the scene table selects no sample",
        "mmsegmentation rejects empty split files. Tag samples with the scene, or remove the row.",
    ),
    Rule(
        "count-differs",
        _ERROR,
        "a declared number of images differs from the actual number",
        "Correct the declared number or the tags, or leave the declared number out.",
    ),
    Rule(
        "persons-conflict",
        _WARNING,
        "a sample is single in one scene and multi in another",
        "Both values are kept. This can be correct, for example for a skier in front of a crowd. "
        "If one value is a mistake, correct the tags.",
        Freedom.SET,
    ),
    Rule(
        "selection-names",
        _ERROR,
        "a selection of params.yaml has the name of a scene, or names what does not exist",
        "A name can't mean a scene and a selection: rename the selection. Correct the names of "
        "scenes, subsets and rules in it; `sceneset scenes` lists all scenes.",
    ),
    Rule(
        "scan-missing",
        _ERROR,
        "a registered subset has no scan",
        "Run `dvc repro` on a machine that has the images (`dvc pull` downloads them).",
    ),
    Rule(
        "scan-broken",
        _ERROR,
        "a scan can't be read or has another format",
        "Restore it with git, or delete it and run `dvc repro` on a machine that has the images.",
    ),
    Rule(
        "scan-incomplete",
        _ERROR,
        "the files do not match the registered or scanned files",
        "An incompletely pulled folder must not replace the registered one. `dvc checkout` "
        "restores it; if the change is intended, run `dvc add` on the folder.",
    ),
)
