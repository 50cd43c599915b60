"""Rules on commands that change subsets: what they are given must fit the registry."""

from sceneset.schemas.rules.rule import Rule, Severity

_ERROR = Severity.ERROR

CHANGES = (
    Rule(
        "sample-unknown",
        _ERROR,
        "a line or a file matches no sample, or several",
        "Correct or delete the line, or rename the file. `sceneset lookup --samples` lists all "
        "samples.",
    ),
    Rule(
        "sample-exists",
        _ERROR,
        "a changed or added sample would get the name of another one",
        "Rename one of the two samples, or leave it out of the change: `sceneset add --to` does so "
        "with --quarantine. Corrected masks of samples that exist are taken with --replace masks.",
    ),
    Rule(
        "table-stale",
        _ERROR,
        "an edited table does not match the current tags",
        "The registry has changed since the table was written. Write the table again and repeat "
        "the edit.",
    ),
)
