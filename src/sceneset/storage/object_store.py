"""Remote storage of blobs by content hash: one small interface, and two ways behind it.

S3 is spoken to by obstore, which costs a tenth of the processor time an object that s3fs does;
all else, and S3 with options obstore is not told of, goes by the file system DVC itself uses.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sceneset.errors import ObjectTooLargeError, StoreRefusedError

WORKERS = 16  # requests at a time; beyond 8 it is the server that is waited for
_FEW = 1000  # up to here sizes are asked for one by one: a remote may hold millions beside them


def _check(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise ObjectTooLargeError(f"is larger than {limit:,} bytes")


class Store(Protocol):
    """Blobs on a remote, by md5. Every call raises OSError when the remote can't be used."""

    def get(self, md5: str, limit: int | None = None) -> bytes:
        """Return a blob as the remote has it, unverified.

        Raises:
            FileNotFoundError: it has none.
            TooLargeError: it is larger than ``limit`` bytes; it was not read.
        """

    def put(self, md5: str, data: bytes) -> None:
        """Put a blob, over the one that is there."""

    def delete(self, md5: str) -> None:
        """Delete a blob if it is there."""

    def size(self, md5: str) -> int:
        """Return a blob's bytes; FileNotFoundError if there is none."""

    def sizes_below(self, prefix: str) -> dict[str, int]:
        """Return the bytes of every blob whose hash begins with these two digits."""


def sizes(store: Store, hashes: Iterable[str]) -> dict[str, int]:
    """Return the bytes of those blobs that the remote has."""
    wanted = set(hashes)

    def ask(md5: str) -> dict[str, int]:
        with suppress(FileNotFoundError):
            return {md5: store.size(md5)}
        return {}

    one_by_one = len(wanted) <= _FEW
    questions = sorted(wanted if one_by_one else {md5[:2] for md5 in wanted})
    found: dict[str, int] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for some in pool.map(ask if one_by_one else store.sizes_below, questions):
            found |= {md5: size for md5, size in some.items() if md5 in wanted}
    return found


class FileSystemStore:
    """A remote through the file system DVC opens for it (dvc_objects.fs.base.FileSystem)."""

    def __init__(self, fs: Any, path: str) -> None:
        self._fs, self._path = fs, path

    def _at(self, md5: str) -> str:
        return str(self._fs.join(self._path, md5[:2], md5[2:]))

    def get(self, md5: str, limit: int | None = None) -> bytes:
        """Return a blob."""
        if limit is not None:
            _check(self.size(md5), limit)
        return bytes(_translated(lambda: self._fs.cat_file(self._at(md5))))

    def put(self, md5: str, data: bytes) -> None:
        """Put a blob aside and move it into place: whoever reads it finds all of it."""
        path = self._at(md5)
        aside = f"{path}.part"

        def put() -> None:
            self._fs.makedirs(self._fs.parent(path), exist_ok=True)
            self._fs.pipe_file(aside, data)
            with suppress(FileNotFoundError):
                self._fs.rm_file(path)  # SFTP does not move over what is there
            self._fs.mv(aside, path)

        _translated(put)

    def delete(self, md5: str) -> None:
        """Delete a blob."""
        with suppress(FileNotFoundError):
            _translated(lambda: self._fs.rm_file(self._at(md5)))

    def size(self, md5: str) -> int:
        """Return a blob's bytes."""
        return int(_translated(lambda: self._fs.info(self._at(md5)))["size"])

    def sizes_below(self, prefix: str) -> dict[str, int]:
        """List one folder of blobs."""
        folder = self._fs.join(self._path, prefix)
        try:
            listed = _translated(lambda: self._fs.ls(folder, detail=True))
        except FileNotFoundError:
            return {}
        return {prefix + self._fs.name(one["name"]): int(one["size"] or 0) for one in listed}


def _translated(call: Callable[[], Any]) -> Any:
    """Call; whatever a file system's own library raises becomes an OSError."""
    try:
        return call()
    except PermissionError as error:
        raise StoreRefusedError(_brief(error)) from None
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - every library has errors of its own
        raise OSError(_brief(error)) from None


def _brief(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


class S3ObjectStore:
    """A remote on S3, through obstore."""

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
    """The options of a DVC remote that are heeded here; others need DVC's own file system."""

    def __init__(self, bucket: str, prefix: str, options: Mapping[str, Any]) -> None:
        """Open a bucket; nothing is asked of it yet.

        Raises:
            LookupError: the bucket's region is not known.
            RefusedError: there are no credentials.
        """
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session
        from obstore.store import S3Store

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
        self._store: S3Store = S3Store(
            bucket,
            endpoint=endpoint,
            region=region or "us-east-1",
            skip_signature=bool(options.get("allow_anonymous_login")),
            client_options={"allow_http": True, "connect_timeout": "10s", "timeout": "300s"},
            retry_config={
                "max_retries": 4,
                "retry_timeout": timedelta(seconds=60),
                "backoff": {"max_backoff": timedelta(seconds=2)},
            },
            **credentials,
        )

    def _at(self, md5: str) -> str:
        return "/".join(filter(None, (self._prefix, md5[:2], md5[2:])))

    def get(self, md5: str, limit: int | None = None) -> bytes:
        """Return a blob."""
        found = _asked(lambda: self._store.get(self._at(md5)))
        _check(found.meta["size"], limit)
        return bytes(_asked(found.bytes))

    def put(self, md5: str, data: bytes) -> None:
        """Put a blob; S3 shows objects whole or not at all."""
        _asked(lambda: self._store.put(self._at(md5), data))

    def delete(self, md5: str) -> None:
        """Delete a blob."""
        with suppress(FileNotFoundError):
            _asked(lambda: self._store.delete(self._at(md5)))

    def size(self, md5: str) -> int:
        """Return a blob's bytes."""
        return int(_asked(lambda: self._store.head(self._at(md5)))["size"])

    def sizes_below(self, prefix: str) -> dict[str, int]:
        """List what begins with a prefix."""
        folder = "/".join(filter(None, (self._prefix, prefix)))
        chunks = _asked(lambda: list(self._store.list(folder)))
        listed = (one for chunk in chunks for one in chunk)
        return {prefix + one["path"].rpartition("/")[2]: one["size"] for one in listed}


def _credentials(session: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return obstore's words for the credentials: the remote's own, or what botocore finds."""
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

    def fresh() -> dict[str, Any]:  # botocore renews what expires
        frozen = found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + timedelta(minutes=10),
        }

    return {"credential_provider": fresh}


def _asked(call: Callable[[], Any]) -> Any:
    """Call; obstore's errors become those of the interface."""
    from obstore import exceptions

    try:
        return call()
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise OSError("there is no such bucket") from None
        raise
    except PermissionError as error:
        raise StoreRefusedError(_said(error)) from None
    except exceptions.BaseError as error:
        refused = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
        raise (StoreRefusedError if isinstance(error, refused) else OSError)(_said(error)) from None


def _said(error: BaseException) -> str:
    """Return what the server said, out of a page of details."""
    text = str(error)
    status = re.search(r"status code: (\d{3} [A-Za-z ]+)", text)
    code = re.search(r"<Code>(\w+)</Code>", text)
    found = [match[1].strip() for match in (status, code) if match]
    return ": ".join(found) or _brief(error).removeprefix("Generic S3 error: ")
