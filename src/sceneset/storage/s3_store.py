"""Access a remote on S3 through obstore.

obstore needs a tenth of the processor time of s3fs per object. S3 remotes with options that it does
not support are accessed through DVC's own file system; see `object_store`.
"""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sceneset.errors import StoreRefusedError
from sceneset.storage.object_store import SILENT, check_size, first_line

if TYPE_CHECKING:
    from obstore.store import ClientConfig

_TIMEOUTS: "ClientConfig" = {
    "connect_timeout": "10s",
    "read_timeout": "300s",
    "timeout": timedelta(days=36_500),
}
"""A server that sends nothing for 300 seconds is given up. A response whose bytes still arrive is
not: on a slow line a large image takes long. So the last value, which limits a whole response and
can't be left out, is no limit. The read timeout also limits an upload, because the server answers
only after all of it; obstore uploads files over 5 MB in parts."""


_used_in = 0
"""The process that sent the first request, 0 if there was none. obstore starts threads then. A fork
does not have them, so it would wait for ever: workers of PyTorch are such forks."""


class S3ObjectStore:
    """A remote on S3 through obstore."""

    OPTIONS = frozenset(
        {
            "endpointurl",
            "region",
            "profile",
            "access_key_id",
            "secret_access_key",
            "session_token",
            "allow_anonymous_login",
        }
    )
    """The options of a DVC remote that this class applies; others need DVC's own file system."""

    def __init__(self, bucket: str, prefix: str, options: Mapping[str, Any]) -> None:
        """Open a bucket; no request is sent yet.

        Raises:
            LookupError: The bucket's region is not known, or a process that this one was forked
                from has used obstore.
            StoreRefusedError: There are no credentials.
        """
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session
        from obstore.store import S3Store

        if _used_in not in {0, os.getpid()}:
            raise LookupError("obstore's threads do not exist in a forked process")
        session = Session(profile=options.get("profile"))
        endpoint = options.get("endpointurl")
        try:
            region = options.get("region") or session.get_config_variable("region")
            credentials = _credentials(session, options)
        except BotoCoreError as error:
            raise StoreRefusedError(str(error)) from None
        if not endpoint and not region:
            raise LookupError("the bucket's region is not known")
        self._prefix = prefix.strip("/")
        # obstore builds the address of Amazon's server itself; it refuses `endpoint=None`.
        server = {"endpoint": endpoint} if endpoint else {}
        self._store: S3Store = S3Store(
            bucket,
            **server,
            region=region or "us-east-1",
            skip_signature=bool(options.get("allow_anonymous_login")),
            client_options={"allow_http": True, **_TIMEOUTS},
            retry_config={
                "max_retries": 4,
                "retry_timeout": timedelta(seconds=60),
                "backoff": {"max_backoff": timedelta(seconds=2)},
            },
            **credentials,
        )

    def _key(self, md5: str) -> str:
        return "/".join(filter(None, (self._prefix, md5[:2], md5[2:])))

    def get(self, md5: str, limit: int | None = None) -> bytes:
        """Return a blob; see ``Store``."""
        found = _with_store_errors(lambda: self._store.get(self._key(md5)))
        check_size(found.meta["size"], limit)
        return bytes(_with_store_errors(found.bytes))

    def put(self, md5: str, data: bytes) -> None:
        """Write a blob; S3 does so atomically."""
        _with_store_errors(lambda: self._store.put(self._key(md5), data))

    def delete(self, md5: str) -> None:
        """Delete a blob if it exists."""
        with suppress(FileNotFoundError):
            _with_store_errors(lambda: self._store.delete(self._key(md5)))

    def size(self, md5: str) -> int:
        """Return the size of a blob in bytes."""
        return int(_with_store_errors(lambda: self._store.head(self._key(md5)))["size"])

    def sizes_with_prefix(self, prefix: str) -> dict[str, int]:
        """List the objects of the blobs whose hash starts with ``prefix``."""
        folder = "/".join(filter(None, (self._prefix, prefix)))
        chunks = _with_store_errors(lambda: list(self._store.list(folder)))
        listed = (one for chunk in chunks for one in chunk)
        return {prefix + one["path"].rpartition("/")[2]: one["size"] for one in listed}

    def check_exists(self) -> None:
        """Raise OSError if the bucket does not exist. A HEAD request does not tell."""
        _with_store_errors(lambda: next(iter(self._store.list(self._prefix, chunk_size=1)), None))


def _credentials(session: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return credentials as arguments of obstore: the remote's own, or those botocore finds.

    Raises:
        StoreRefusedError: There are none.
    """
    if options.get("allow_anonymous_login"):
        return {}
    if options.get("access_key_id"):
        names = ("access_key_id", "secret_access_key", "session_token")
        return {name: options[name] for name in names if options.get(name)}
    found = session.get_credentials()
    if found is None:
        raise StoreRefusedError(
            "no credentials for S3 were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or a profile in ~/.aws/credentials"
        )

    def current() -> dict[str, Any]:  # botocore renews credentials that expire
        frozen = found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + timedelta(minutes=10),
        }

    return {"credential_provider": current}


def _with_store_errors(call: Callable[[], Any]) -> Any:
    """Return the result of ``call``; turn the exceptions of obstore into those of ``Store``."""
    from obstore import exceptions

    global _used_in  # noqa: PLW0603
    _used_in = _used_in or os.getpid()
    try:
        return call()
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise OSError("there is no such bucket") from None
        raise
    except PermissionError as error:
        raise StoreRefusedError(_server_message(error)) from None
    except exceptions.BaseError as error:
        if "NoSuchBucket" in str(error):
            raise OSError("there is no such bucket") from None
        refused = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
        kind = StoreRefusedError if isinstance(error, refused) else OSError
        raise kind(_server_message(error)) from None


def _server_message(error: BaseException) -> str:
    """Return the status and code in an error of obstore, which is a page of details."""
    text = str(error)
    if "kind: Timeout" in text:
        return SILENT
    status = re.search(r"status code: (\d{3} [A-Za-z ]+)", text)
    code = re.search(r"<Code>(\w+)</Code>", text)
    found = [match[1].strip() for match in (status, code) if match]
    return ": ".join(found) or first_line(error).removeprefix("Generic S3 error: ")
