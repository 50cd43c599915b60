"""Ask a remote whether it answers and can be written, with one small object."""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sceneset.errors import DvcError, StoreRefusedError
from sceneset.storage.dvc import open_store
from sceneset.storage.files import md5_of
from sceneset.storage.object_store import Store

_CREDENTIALS = "Check the credentials and their permissions."


def probe_remote(name: str, remotes: Mapping[str, Any]) -> str:
    """Write, read and delete a small object on a remote; return what does not work, or "".

    The object is a blob like all others, named after its content: if it can't be deleted, it does
    no harm.

    Args:
        name: The remote.
        remotes: Its configuration, by name, and that of remotes which its URL refers to.

    Returns:
        A sentence if objects can be written and read, but not deleted.

    Raises:
        DvcError: The remote does not answer, or can't be written or read; the message is the
            reason.
    """
    step = "opened"
    try:
        store = open_store(name, remotes)
        step = "written to"
        data = b"sceneset: does this remote answer? " + os.urandom(16).hex().encode()
        md5 = md5_of(data)
        store.put(md5, data)
        step = "read"
        if store.get(md5) != data:
            raise DvcError("the remote returns other bytes than were written to it")
    except StoreRefusedError as error:
        reason = f"it can't be {step}, because it refuses access: {error}. {_CREDENTIALS}"
        raise DvcError(reason) from None
    except OSError as error:
        raise DvcError(f"it can't be {step}: {_reason(error)}") from None
    return _delete(store, md5)


def _delete(store: Store, md5: str) -> str:
    try:
        store.delete(md5)
    except OSError as error:
        return (
            f"objects can be written and read, but not deleted ({_reason(error)}): "
            "`sceneset forget --purge` will not work"
        )
    with suppress(OSError):
        store.get(md5)
        return "a deleted object can still be read (the bucket may keep old versions)"
    return ""


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
