"""Rules on provenance: whose data it is, and whether it may still be used."""

from sceneset.schemas.rules.rule import Freedom, Rule, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

PROVENANCE = (
    Rule(
        "entry-provenance",
        _WARNING,
        "an entry does not say whose data it is",
        "Add licence, origin, consent and contact to the entry of the subset: `provenance: "
        "{licence: CC-BY-4.0, origin: {kind: vendor, name: Studio A}, consent: {basis: consent, "
        "until: 2034-01-15}, contact: data@example.com}`. docs/people.md explains the fields. In "
        "registries that `sceneset init` creates it is an error: `check` and `review` fail, and "
        "`release` shows it. `dvc repro` does not evaluate it, so the pipeline runs meanwhile.",
        Freedom.SET,
    ),
    Rule(
        "provenance-stale",
        _WARNING,
        "an exception of a provenance names samples or sources that do not exist",
        "A restriction under a mistyped name protects nothing. Correct the name; or delete it, if "
        "the sample was renamed or removed.",
        Freedom.SET,
    ),
    Rule(
        "consent-expired",
        _ERROR,
        "consent has ended",
        "Only `sceneset check --on DATE` reports it: the day after `until` and later, the pictures "
        "may not be used. Withdraw the samples with `sceneset forget`, or write the new `until` "
        "if the consent was extended.",
        Freedom.SET,
    ),
    Rule(
        "consent-expires",
        _WARNING,
        "consent ends within 90 days",
        "Only `sceneset check --on DATE` reports it. Ask for an extension in time, or plan the "
        "withdrawal.",
        Freedom.SET,
    ),
    Rule(
        "release-restricted",
        _ERROR,
        "samples may not be released",
        "Their provenance has the restriction `no-release`. Remove the samples from the registry, "
        "or lift the restriction in the entry if it no longer holds.",
    ),
)
