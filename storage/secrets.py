"""Where a person's keys are, in the order in which they are asked (RELIABILITY 9).

$CREDENTIALS_DIRECTORY, `keys.json` (0600), `keys.enc` (under a passphrase), the desktop's keyring where that
package is installed, the environment. A place that cannot be trusted is an error, never skipped: what comes
after it would be another key than the person thinks.
"""

import importlib
import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

from engine.errors import ConfigError, StorageError
from engine.model.secrets import KEYS, KeyKind, KeyName, Place, Secret
from storage.locked_keys import LARGEST, Kept, LockedKeys
from storage.private_files import read_credential, read_private, write_private

FILE, LOCKED_FILE = "keys.json", "keys.enc"
PASSPHRASE_CREDENTIAL = "keys_passphrase"  # noqa: S105 - the name of a file
"""Of $CREDENTIALS_DIRECTORY: opens `keys.enc` where nobody can be asked."""
_VERSION = 1
_SERVICE = "tradedeck"
_SET_AT = ":set_us"
"""Behind the name of a key: when it was put into the keyring."""


class KeyPlace(Protocol):
    """One place. `names`: the keys it holds and when each was set, None where that is not known."""

    place: Place

    def names(self) -> Mapping[KeyName, int | None]: ...
    def get(self, name: KeyName) -> Secret | None: ...


class WritablePlace(KeyPlace, Protocol):
    """A place that `keys set` writes."""

    def put(self, name: KeyName, secret: Secret, now_us: int) -> None: ...
    def remove(self, name: KeyName) -> None: ...


class CredentialFiles:
    """Files that the service manager put into $CREDENTIALS_DIRECTORY."""

    place = Place.CREDENTIALS

    def __init__(self, environment: Mapping[str, str]) -> None:
        folder = environment.get("CREDENTIALS_DIRECTORY", "")
        self._folder = Path(folder) if os.path.isabs(folder) else None

    def names(self) -> Mapping[KeyName, int | None]:
        """What is there; when it was set is not known."""
        folder = self._folder
        if folder is None:
            return {}
        return {kind.name: None for kind in KEYS.values() if os.path.lexists(folder / kind.credential)}

    def get(self, name: KeyName) -> Secret | None:
        """Raises ConfigError for a file that others may change or read."""
        return self.text(KEYS[name].credential)

    def text(self, file: str) -> Secret | None:
        """The content of a file less its last line break."""
        content = None if self._folder is None else read_credential(self._folder / file, LARGEST)
        if content is None:
            return None
        try:
            return Secret(content.decode().removesuffix("\n").removesuffix("\r"))
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self._folder}/{file} is no text", "Write the key as UTF-8") from error


class PlainFile:
    """`keys.json`: protected by its permissions alone."""

    place = Place.FILE

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> Mapping[KeyName, int | None]:
        """Raises ConfigError for a damaged file and one that is not ours alone."""
        return {name: kept.set_us for name, kept in self._load().items()}

    def get(self, name: KeyName) -> Secret | None:
        """Raises ConfigError like `names`."""
        kept = self._load().get(name)
        return None if kept is None else kept.secret

    def put(self, name: KeyName, secret: Secret, now_us: int) -> None:
        """Raises ConfigError and StorageError; the old file stays then."""
        self._save({**self._load(), name: Kept(secret, now_us)})

    def remove(self, name: KeyName) -> None:
        """The same."""
        self._save({known: kept for known, kept in self._load().items() if known != name})

    def _load(self) -> dict[KeyName, Kept]:
        content = read_private(self.path, LARGEST)
        if content is None:
            return {}
        try:
            document = json.loads(content)
            if document["version"] != _VERSION:
                raise ValueError("another version")
            return {KeyName(name): _kept(entry) for name, entry in document["keys"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # Not raised from it: what json says of a place in the file may repeat what stands there.
            raise ConfigError(
                f"{self.path} is damaged", "Restore it from a backup, or move it away and set the keys anew"
            ) from None

    def _save(self, keys: Mapping[KeyName, Kept]) -> None:
        entries = {
            name: {"value": kept.secret.reveal(), "set_us": kept.set_us} for name, kept in keys.items()
        }
        text = json.dumps({"version": _VERSION, "keys": entries}, indent=1, sort_keys=True)
        write_private(self.path, f"{text}\n".encode())


class LockedFile:
    """`keys.enc`. The passphrase is asked for once, and only when the file holds the key."""

    place = Place.ENCRYPTED

    def __init__(
        self, keys: LockedKeys, passphrase: Callable[[], Secret], chosen: Callable[[], Secret]
    ) -> None:
        """`chosen`: the passphrase of a file that is not there yet."""
        self._keys = keys
        self._ask = passphrase
        self._ask_new = chosen
        self._passphrase: Secret | None = None
        self._opened: dict[KeyName, Kept] | None = None

    def names(self) -> Mapping[KeyName, int | None]:
        """As the header says, which is not proved before the file is opened."""
        return self._keys.names()

    def get(self, name: KeyName) -> Secret | None:
        """Raises ConfigError for a wrong passphrase or an altered file."""
        kept = self._open().get(name) if name in self._keys.names() else None
        return None if kept is None else kept.secret

    def put(self, name: KeyName, secret: Secret, now_us: int) -> None:
        """Raises ConfigError and StorageError; the old file stays then."""
        self._save({**self._open(), name: Kept(secret, now_us)})

    def remove(self, name: KeyName) -> None:
        """The same."""
        self._save({known: kept for known, kept in self._open().items() if known != name})

    def _open(self) -> dict[KeyName, Kept]:
        if self._opened is None:
            self._passphrase = self._ask() if os.path.lexists(self._keys.path) else self._ask_new()
            self._opened = self._keys.open(self._passphrase)
        return self._opened

    def _save(self, keys: dict[KeyName, Kept]) -> None:
        assert self._passphrase is not None  # noqa: S101 - it was opened
        self._keys.save(keys, self._passphrase)
        self._opened = keys


class KeyringPackage(Protocol):
    """What is used of the package `keyring`."""

    def get_password(self, service: str, name: str) -> str | None: ...
    def set_password(self, service: str, name: str, value: str) -> None: ...
    def delete_password(self, service: str, name: str) -> None: ...


def find_keyring() -> "Keyring | None":
    """The desktop's keyring, where somebody installed that package: it is none of our dependencies."""
    if importlib.util.find_spec("keyring") is None:
        return None
    package = cast(KeyringPackage, importlib.import_module("keyring"))
    failure: type[Exception] = importlib.import_module("keyring.errors").KeyringError
    return Keyring(package, failure)


class Keyring:
    """The desktop's keyring. On a machine without one it fails by `failure`, and that is told."""

    place = Place.KEYRING

    def __init__(self, package: KeyringPackage, failure: type[Exception]) -> None:
        self._package = package
        self._failure = failure

    def names(self) -> Mapping[KeyName, int | None]:
        """The keys that it holds, asked for one by one. Raises StorageError."""
        held = [name for name in KEYS if self._read(name) is not None]
        since = {name: self._read(f"{name}{_SET_AT}") for name in held}
        return {name: int(text) if text and text.isdigit() else None for name, text in since.items()}

    def get(self, name: KeyName) -> Secret | None:
        """Raises StorageError."""
        text = self._read(name)
        return None if text is None else Secret(text)

    def put(self, name: KeyName, secret: Secret, now_us: int) -> None:
        """Raises StorageError."""
        with self._told():
            self._package.set_password(_SERVICE, name, secret.reveal())
            self._package.set_password(_SERVICE, f"{name}{_SET_AT}", str(now_us))

    def remove(self, name: KeyName) -> None:
        """Raises StorageError."""
        for entry in (name, f"{name}{_SET_AT}"):
            if self._read(entry) is not None:
                with self._told():
                    self._package.delete_password(_SERVICE, entry)

    def _read(self, entry: str) -> str | None:
        with self._told():
            return self._package.get_password(_SERVICE, entry)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (self._failure, OSError) as error:
            # Not raised from it: its words may repeat what was written.
            raise StorageError(
                f"the keyring cannot be used: {type(error).__name__}",
                "It needs a desktop session; keep the keys in the 0600 file or the encrypted file instead",
            ) from None


class Variables:
    """The environment of this process."""

    place = Place.ENVIRONMENT

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def names(self) -> Mapping[KeyName, int | None]:
        """Which variables are set."""
        return {kind.name: None for kind in KEYS.values() if self._environment.get(kind.variable)}

    def get(self, name: KeyName) -> Secret | None:
        """None where the variable is not set, or empty."""
        text = self._environment.get(KEYS[name].variable)
        return Secret(text) if text else None


class KeyBook:
    """`engine.ports.Secrets`: the first place that holds a key gives it.

    `learned` is told of every value that was read, so that no log shows it. `warn` is told once of each key
    that is in the environment. For real money (`for_live`) a key from there is refused, unless `env_keys`
    says that the person wants it.
    """

    def __init__(
        self,
        places: tuple[KeyPlace, ...],
        *,
        for_live: bool = False,
        env_keys: bool = False,
        warn: Callable[[str], None],
        learned: Callable[[Secret], None],
    ) -> None:
        self.places = places
        self._refuses_variables = for_live and not env_keys
        self._warn = warn
        self._learned = learned
        self._warned: set[KeyName] = set()

    def get(self, name: KeyName) -> Secret | None:
        """The key; None where no place holds it.

        Raises ConfigError for a place that cannot be trusted and a value that cannot be this key,
        StorageError for one that cannot be read.
        """
        for place in self.places:
            secret = place.get(name)
            if secret is not None:
                self._learned(secret)
                self._check(KEYS[name], place.place, secret)
                return secret
        return None

    def require(self, name: KeyName) -> Secret:
        """The key. Raises ConfigError, also where no place holds it."""
        secret = self.get(name)
        if secret is None:
            raise ConfigError(
                f"the key {name} is missing ({KEYS[name].words})",
                f"Set it: tradedeck keys set {name} (a service: LoadCredential={KEYS[name].credential}:FILE)",
            )
        return secret

    def _check(self, kind: KeyKind, place: Place, secret: Secret) -> None:
        if why := kind.why_not(secret.reveal()):
            raise ConfigError(
                f"the key {kind.name} of the {place.value} cannot be used: {why}",
                f"Set it anew: tradedeck keys set {kind.name}",
            )
        if place is not Place.ENVIRONMENT:
            return
        if self._refuses_variables:
            raise ConfigError(
                f"the key {kind.name} is in the environment alone ({kind.variable}), where every program that"
                " is started from here can read it",
                f"Keep it with tradedeck keys set {kind.name}; or trade real money with it by --env-keys",
            )
        if kind.name not in self._warned:
            self._warned.add(kind.name)
            self._warn(
                f"the key {kind.name} comes from the environment ({kind.variable}), where every program that"
                f" is started from here can read it. Keep it with tradedeck keys set {kind.name}"
            )


def passphrase_of(credentials: CredentialFiles, ask: Callable[[], Secret | None]) -> Callable[[], Secret]:
    """Where the passphrase of `keys.enc` comes from: the service manager, else the person.

    `ask`: a question on the terminal without an echo; None where there is no terminal.
    """

    def find() -> Secret:
        secret = credentials.text(PASSPHRASE_CREDENTIAL) or ask()
        if secret is None:
            raise ConfigError(
                f"{LOCKED_FILE} needs its passphrase, and nobody can be asked for it here",
                f"Give the service LoadCredential={PASSPHRASE_CREDENTIAL}:FILE, or start at a terminal",
            )
        return secret

    return find


def _kept(entry: object) -> Kept:
    if not isinstance(entry, dict) or not isinstance(entry["value"], str):
        raise ValueError("no value")
    set_us = entry.get("set_us")
    if set_us is not None and type(set_us) is not int:
        raise ValueError("no time")
    return Kept(Secret(entry["value"]), set_us)
