"""The registry of models (SPEC 8.6): one folder for each version, checked to the last byte before it is used.

`<models>/<name>/<version>/` holds the files of the model, `manifest.json` and, where the installation signs,
`manifest.sig`. A folder appears whole or not at all and never changes. What can change stands beside them in
`registry.db`: the stage of each version, and every configuration that was ever tried (SPEC 9.3).
"""

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import DataError, StorageError
from engine.learn.lightgbm_model import GapsModel
from engine.learn.manifest import Manifest, decode, encode, sha256
from engine.learn.modelfiles import BOUNCE, TOUCH, Packed, boosted_texts, check_scores, unpack
from storage.artifacts import PRIVATE_FILE
from storage.model_trial import Trial, Verdict, try_models
from storage.paths import make_private

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
FILE_MAX = 16 * 2**20
"""Bytes of one file; a model of 1,000 small trees has 2 MB."""
FILES_MAX = 8
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_FILE = re.compile(r"[a-z0-9][a-z0-9-]{0,40}\.(txt|json)")
_AGAIN = "Train the model again, or restore it from a backup"
_US = 1_000_000

Sign = Callable[[bytes], str]
Fits = Callable[[bytes, str], bool]
"""Whether a signature of these bytes is one that is trusted here."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One version as it stands on the disk: every hash fits; `signature` "" where it has none."""

    folder: Path
    manifest: Manifest
    files: Mapping[str, bytes]
    signature: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One version and the model in it, or why it is not used."""

    version: str
    stored: Stored | None
    model: GapsModel | None
    problem: str


class ModelStore:
    """All versions under one folder. `versions`: of the features of this program, by id.

    `sign`: makes the signature of a manifest's bytes; `fits`: without it signatures are not looked at, with
    it a version without one that fits is not used.
    """

    def __init__(
        self, folder: Path, versions: Mapping[str, str], sign: Sign | None = None, fits: Fits | None = None
    ) -> None:
        self.folder = folder
        self._versions = versions
        self._sign = sign
        self._fits = fits

    def put(self, packed: Packed, now_us: int) -> Manifest:
        """Store a model; one that is there already stays as it is. Raises StorageError."""
        name, version = packed.manifest.name, packed.manifest.version
        _check_name(name)
        _check_name(version)
        parent = make_private(make_private(self.folder) / name)
        final = parent / version
        if final.is_dir():
            return self.read(version).manifest
        created = datetime.fromtimestamp(now_us / _US, UTC).isoformat(timespec="seconds")
        manifest = replace(packed.manifest, created=created)
        content = encode(manifest)
        written = {**packed.files, MANIFEST: content}
        if self._sign is not None:
            written[SIGNATURE] = self._sign(content).encode()
        draft = parent / f".{version}-{secrets.token_hex(4)}"
        try:
            draft.mkdir(mode=0o700)
            for file, data in written.items():
                _write(draft / file, data)
            _sync(draft)
            draft.rename(final)
            _sync(parent)
        except OSError as error:
            if final.is_dir():  # another process was first
                return self.read(version).manifest
            raise StorageError(
                f"the model {version} cannot be stored in {parent}: {error.strerror or error}",
                "Check the folder and its room",
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return manifest

    def folders(self) -> tuple[str, ...]:
        """Every version there is a folder of, in order of name."""
        found = (path for top in self._names() for path in sorted(top.iterdir()))
        return tuple(path.name for path in found if _is_folder(path))

    def read(self, version: str) -> Stored:
        """Bytes, hashes, signature and feature versions of one version; nothing of it is used yet.

        Raises DataError where anything does not fit, StorageError where it cannot be read.
        """
        _check_name(version)
        folder = next((top / version for top in self._names() if _is_folder(top / version)), None)
        if folder is None:
            raise DataError(f"there is no model {version}", "tradedeck models lists those there are")
        content = _read(folder / MANIFEST)
        signature = _read(folder / SIGNATURE).decode(errors="replace") if self._has_signature(folder) else ""
        if self._fits is not None and not self._fits(content, signature):
            state = "its signature is not one of this installation" if signature else "it is not signed"
            raise DataError(f"the model {version} is not used: {state}", _AGAIN)
        manifest = decode(content)
        if (manifest.version, manifest.name) != (version, folder.parent.name):
            raise DataError(f"{folder} holds {manifest.version[:80]}", _AGAIN)
        return Stored(folder, manifest, self._files(folder, manifest), signature)

    def check(self, versions: Sequence[str]) -> list[Checked]:
        """Each version with its model, or why it is not used; a file that ends its reader ends no other."""
        found: list[Checked] = []
        for version in versions:
            try:
                found.append(Checked(version, self.read(version), None, ""))
            except (DataError, StorageError) as error:
                found.append(Checked(version, None, None, error.message))
        boosted = [one for one in found if one.stored is not None and boosted_texts(one.stored.files)]
        trials = [_trial(one.stored) for one in boosted if one.stored is not None]
        verdicts = dict(
            zip((one.version for one in boosted), try_models(trials) if trials else [], strict=True)
        )
        return [_loaded(one, verdicts.get(one.version)) for one in found]

    def load(self, version: str) -> GapsModel:
        """The model of one version after all checks and its self-test. Raises DataError."""
        (checked,) = self.check([version])
        if checked.model is None:
            raise DataError(f"the model {version} is not used: {checked.problem}", _AGAIN)
        return checked.model

    def _names(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from filter(_is_folder, sorted(self.folder.iterdir()))

    @staticmethod
    def _has_signature(folder: Path) -> bool:
        return os.path.lexists(folder / SIGNATURE)

    def _files(self, folder: Path, manifest: Manifest) -> dict[str, bytes]:
        if not 0 < len(manifest.files) <= FILES_MAX:
            raise DataError(f"{manifest.version} names {len(manifest.files)} files", _AGAIN)
        found = {}
        for name, told in manifest.files.items():
            if not _FILE.fullmatch(name):
                raise DataError(f"{manifest.version} names a file {name[:60]!r}", _AGAIN)
            content = _read(folder / name)
            if (len(content), sha256(content)) != (told.size, told.sha256):
                raise DataError(
                    f"{folder / name} is not the file that was stored: its SHA-256 differs", _AGAIN
                )
            found[name] = content
        for note in manifest.features:
            ours = self._versions.get(note.id)
            if ours != note.version:
                state = "has none" if ours is None else f"has {ours}"
                raise DataError(
                    f"{manifest.version} was trained on {note.id} {note.version}, this program {state}",
                    "Train the model again",
                )
        return found


def _trial(stored: Stored) -> Trial:
    return Trial(boosted_texts(stored.files), stored.manifest.selftest.rows)


def _loaded(found: Checked, verdict: Verdict | None) -> Checked:
    """Only what LightGBM itself read without harm, with the scores of training, is read by us."""
    if found.stored is None:
        return found
    manifest = found.stored.manifest
    if verdict is not None and verdict.problem:
        return replace(found, problem=verdict.problem)
    try:
        if verdict is not None:
            test = manifest.selftest
            told = {TOUCH: test.touch, BOUNCE: test.bounce, **verdict.scores}
            check_scores(manifest, told[TOUCH], told[BOUNCE])
        return replace(found, model=unpack(manifest, found.stored.files))
    except DataError as error:
        return replace(found, problem=error.message)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and _NAME.fullmatch(path.name) is not None


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise DataError(f"{name[:80]!r} is no name of a model", "Names are small letters, digits and hyphens")


def _read(path: Path) -> bytes:
    """A whole file of ours, without following a link. Raises DataError and StorageError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise DataError(f"there is no {path}", _AGAIN) from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}", _AGAIN) from error
    try:
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(FILE_MAX + 1)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}", _AGAIN) from error
    if len(content) > FILE_MAX:
        raise DataError(f"{path} is larger than {FILE_MAX:,} bytes", _AGAIN)
    return content


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
