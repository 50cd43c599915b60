"""Every exception that sceneset raises on purpose.

    SceneSetError
    ├── FindingsError               checks found errors; carries all findings (exit code 1)
    ├── DvcError                    a dvc command or a remote failed (exit code 1)
    ├── GitError                    a git command failed (exit code 1)
    ├── BlobError                   a blob could not be read
    │   ├── BlobMissingError        the remote does not have it
    │   ├── BlobDamagedError        its hash differs
    │   └── BlobTooLargeError       it is larger than the limit; nothing was read
    ├── StoreRefusedError           a remote refused the credentials (also an OSError)
    ├── ObjectTooLargeError         an object exceeds the limit (also an OSError)
    ├── ExportError                 an export does not hold the selected samples (exit code 1)
    ├── UndecodableError            an image or mask can't be decoded
    ├── WorkerError                 a scan worker failed because of a bug in sceneset
    └── UsageError                  wrong use; the message says how to fix it (exit code 2)
        ├── NoRegistryError         no registry at this path or above it
        ├── UnknownNameError        no such scene or subset; the nearest names are listed
        ├── UnknownRevisionError    no such revision or repository (also a GitError)
        ├── NothingFoundError       a pull selects no sample
        ├── DestinationError        a folder can't take a pull
        ├── ModelError              a file holds no model that can be run
        ├── UntrustedRemoteError    the remote of somebody else's repository is not trusted
        └── NotEmptyError           `init` needs an empty folder

This module imports no library, so that `sceneset --help` and look-ups start fast.
"""

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NoReturn, Unpack

    from sceneset.schemas.finding import Details, Finding


class SceneSetError(Exception):
    """Base class of all exceptions in this module."""


class FindingsError(SceneSetError):
    """Checks found errors. ``findings`` holds all findings of the run, errors first."""

    def __init__(self, findings: "Iterable[Finding]") -> None:
        from sceneset.schemas.finding import count_by_severity, in_order

        self.findings = in_order(findings)
        super().__init__("\n".join([count_by_severity(self.findings), *map(str, self.findings)]))


class DvcError(SceneSetError):
    """A dvc command or a remote failed; the message is the reason it gave."""


class GitError(SceneSetError):
    """A git command failed; the message is the reason it gave."""


class BlobError(SceneSetError):
    """A blob could not be read; the message says why."""


class BlobMissingError(BlobError):
    """The remote does not have the blob."""


class BlobDamagedError(BlobError):
    """The remote's object is truncated, damaged or replaced: its hash differs."""


class BlobTooLargeError(BlobError):
    """The remote's object is larger than the limit; it was not read."""


class StoreRefusedError(SceneSetError, OSError):
    """A remote refused the request: wrong or missing credentials, or no permission."""


class ObjectTooLargeError(SceneSetError, OSError):
    """A remote's object is larger than the limit; it was not read."""


class UndecodableError(SceneSetError):
    """An image or mask can't be decoded: the code, message and hint of the finding to report."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


class ExportError(SceneSetError):
    """The files that an export wrote do not hold the selected samples; the message has counts."""


class WorkerError(SceneSetError):
    """A scan worker failed because of a bug in sceneset; the message is its traceback."""


class UsageError(SceneSetError):
    """A command or function was called with arguments that make no sense."""


class NoRegistryError(UsageError):
    """There is no registry at a path or above it."""


class UnknownNameError(UsageError):
    """No scene or subset has this name; the message lists the nearest ones."""


class UnknownRevisionError(GitError, UsageError):
    """A revision does not exist, or a repository can't be reached."""


class NothingFoundError(UsageError):
    """A pull selects no sample. An empty result could be mistaken for a dataset."""


class DestinationError(UsageError):
    """A folder can't take a pull; the message says why, and which folder can."""


class ModelError(UsageError):
    """A file holds no model that can be run; the message names the file and says why."""


class UntrustedRemoteError(UsageError):
    """The remote of a repository opened by URL may not be used yet; the message says how."""


class NotEmptyError(UsageError):
    """The folder for a new registry is not empty."""


def fail(code: str, message: str, **details: "Unpack[Details]") -> "NoReturn":
    """Raise a FindingsError with one finding; the arguments are those of ``finding``."""
    from sceneset.schemas.finding import finding

    raise FindingsError([finding(code, message, **details)]) from None
