"""The file of a backup: a compressed tar that begins with a manifest and ends with the word that it is complete."""

import gzip
import io
import json
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from django.utils.dateparse import parse_datetime

from mqtt.exceptions import BackupError

FORMAT = 1
MANIFEST = "manifest.json"
LAST = "complete.json"
LEVEL = 1
"""Of gzip: a small machine has better things to do, and readings shrink well all the same."""
BLOCK = 1024 * 1024
MOST_SAID = 16 * BLOCK
"""Bytes of a manifest: that of a thousand days of partitions has a hundred thousand."""

MOST_AT_ONCE = 128 * BLOCK
"""Bytes that are read in one piece: a header of tar may ask for any number."""
MOST_MEMBERS = 100_000
"""Of an archive; PostgreSQL's largest tables come in parts of 32 MB."""

Tell = Callable[[str, int, int], None]
"""Progress: what is being done, how much of it is done, how much there is (0: not known)."""


def tell_nobody(_what: str, _done: int, _total: int) -> None:
    """For who does not watch."""


@dataclass(frozen=True)
class Manifest:
    """What an archive is."""

    vendor: str
    """sqlite or postgresql."""
    version: str
    created_at: str
    """ISO 8601 in UTC."""
    migrations: list[tuple[str, str]]
    """(app, name) of those that had been applied."""
    format: int = FORMAT
    keys: dict[str, str] | None = None
    """Locked with a passphrase; None: not in it."""
    tables: list[dict[str, Any]] = field(default_factory=list)
    """PostgreSQL: [{name, columns}]."""
    partitions: list[tuple[str, str, str]] = field(default_factory=list)
    """PostgreSQL: (parent, child, bounds)."""


class Writer:
    """Adds members to an archive that is being made."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = 0

    def add_bytes(self, name: str, data: bytes) -> None:
        """A member out of memory."""
        info = tarfile.TarInfo(name)
        info.size = len(data)
        self._tar.addfile(info, io.BytesIO(data))
        self._members += 1

    def add_file(self, name: str, path: Path, tell: Tell) -> None:
        """A member from the disk."""
        info = tarfile.TarInfo(name)
        info.size = path.stat().st_size
        with path.open("rb") as stream:
            self._tar.addfile(info, _Watched(stream, info.size, tell))
        self._members += 1

    def finish(self) -> None:
        """Say that nothing is missing."""
        self.add_bytes(LAST, json.dumps({"members": self._members}).encode())


class _Watched:
    """A file that tells how far it was read."""

    def __init__(self, stream: IO[bytes], size: int, tell: Tell) -> None:
        self._stream, self._size, self._tell, self._done = stream, size, tell, 0

    def read(self, count: int = -1) -> bytes:
        data = self._stream.read(count)
        self._done += len(data)
        self._tell("compressing", self._done, self._size)
        return data


@contextmanager
def writing(path: Path, manifest: Manifest) -> Iterator[Writer]:
    """Make an archive for its owner only; it gets its name when it is whole, and leaves nothing behind when not."""
    draft = path.with_name(f".{path.name}.part")
    try:
        with (
            os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream,
            tarfile.open(fileobj=stream, mode="w:gz", compresslevel=LEVEL) as tar,
        ):
            writer = Writer(tar)
            writer.add_bytes(MANIFEST, json.dumps(asdict(manifest)).encode())
            yield writer
            writer.finish()
        _flush(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Onto the disk, before the name says that it is whole."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def read_manifest(path: Path) -> Manifest:
    """What the archive is. Raises BackupError for what is none."""
    with members(path) as found:
        for name, stream in found:
            if name == MANIFEST:
                return _manifest(path, _said(path, stream))
            break
    raise BackupError(f"{path} is no backup of Vedetta.")


def _said(path: Path, stream: IO[bytes]) -> Any:
    """What a small member says. Raises BackupError for what is none of ours."""
    data = stream.read(MOST_SAID + 1)
    try:
        if len(data) <= MOST_SAID:
            return json.loads(data)
    except (ValueError, RecursionError):
        pass
    raise BackupError(f"{path} is no backup of Vedetta.")


def _manifest(path: Path, given: Any) -> Manifest:
    try:
        if given["format"] > FORMAT:
            raise BackupError(f"{path} was made by a newer version ({given['version']}): update first.")
        for name, length in (("migrations", 2), ("partitions", 3)):
            given[name] = [_texts(one, length) for one in given[name]]
        for table in given["tables"]:
            _texts([table["name"], *table["columns"]])
        if given["keys"] is not None:
            _texts(given["keys"].values())
        said = _texts([given["vendor"], given["version"], given["created_at"]])
        is_plain = all(one.isprintable() and len(one) < 100 for one in said) and parse_datetime(said[2])
        made = Manifest(**given)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"{path} is no backup of Vedetta.") from error
    if not is_plain:
        raise BackupError(f"{path} is no backup of Vedetta.")
    return made


def _texts(given: Any, length: int | None = None) -> tuple[Any, ...]:
    """A tuple of texts. Raises TypeError for anything else."""
    found = tuple(given)
    if isinstance(given, str) or (length is not None and len(found) != length):
        raise TypeError(given)
    if not all(isinstance(one, str) for one in found):
        raise TypeError(given)
    return found


class _Unpacked(gzip.GzipFile):
    """What is packed, in pieces that fit into memory."""

    def read(self, size: int | None = -1) -> bytes:
        """A piece. Raises tarfile.ReadError when it would be too large."""
        if size is None or not 0 <= size <= MOST_AT_ONCE:
            raise tarfile.ReadError("one of its headers is too large")
        return super().read(size)


@contextmanager
def members(path: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """All members in their order, each to be read before the next. Raises BackupError when the file cannot be read."""
    try:
        with _Unpacked(path) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            yield _files(tar)
    except FileNotFoundError as error:
        raise BackupError(f"There is no file {path}.") from error
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise BackupError(f"{path} cannot be read: {error}.") from error


def _files(tar: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    """Plain files alone: nothing of ours is a link, a device or has holes."""
    for number, info in enumerate(tar):
        stream = tar.extractfile(info) if info.isreg() and not info.issparse() else None
        if stream is None or number >= MOST_MEMBERS:
            raise tarfile.ReadError("there is something in it that a backup has not")
        yield info.name, stream
    packed: Any = tar.fileobj
    while packed.read(BLOCK):  # to the end, where gzip's checksum stands; tar itself fills a few kilobytes
        if packed.tell() > tar.offset + MOST_AT_ONCE:
            raise tarfile.ReadError("something follows its end")


def check(path: Path, tell: Tell = tell_nobody) -> Manifest:
    """Read an archive to its end before anything is replaced by it. Raises BackupError when something is missing."""
    manifest, count, is_whole = read_manifest(path), 0, False
    size = path.stat().st_size
    with members(path) as found:
        for name, stream in found:
            if name == LAST:
                is_whole = _said(path, stream) == {"members": count}
            while stream.read(BLOCK):
                tell("checking", 0, size)
            count += 1
    if not is_whole:
        raise BackupError(f"{path} is not complete.")
    return manifest
