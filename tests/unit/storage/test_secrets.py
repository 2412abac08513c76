"""Where keys are looked for, in which order, and what each place refuses."""

import json
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engine.errors import ConfigError, StorageError
from engine.model.secrets import ALPACA_KEY_ID, ALPACA_SECRET, EDGAR_CONTACT, KEYS, KeyName, Place, Secret
from storage.locked_keys import Cost, LockedKeys
from storage.private_files import write_private
from storage.secrets import (
    CredentialFiles,
    KeyBook,
    Keyring,
    LockedFile,
    PlainFile,
    Variables,
    find_keyring,
    passphrase_of,
)

PASSPHRASE = Secret("four words are enough")
NOW = 1_700_000_000_000_000
VARIABLE = KEYS[ALPACA_SECRET].variable


class KeyringError(Exception):
    """As the package's own."""


class DesktopKeyring:
    """Answers like the package `keyring`."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, name: str) -> str | None:
        self._look()
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self._look()
        self.kept[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        self._look()
        del self.kept[service, name]

    def _look(self) -> None:
        if self.is_locked:
            raise KeyringError("locked, holds s3cr3t-of-keyring")


class Places:
    """All five, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        self.warnings: list[str] = []
        self.learned: list[str] = []
        self.asked = 0
        self.desktop = DesktopKeyring()

    def credential(self, name: str, text: str) -> None:
        write_private(self.folder / "credentials" / name, text.encode())
        self.environment["CREDENTIALS_DIRECTORY"] = str(self.folder / "credentials")

    @property
    def plain(self) -> PlainFile:
        return PlainFile(self.folder / "config" / "keys.json")

    @property
    def locked(self) -> LockedFile:
        def ask() -> Secret:
            self.asked += 1
            return PASSPHRASE

        keys = LockedKeys(self.folder / "config" / "keys.enc", Cost(n=1 << 14))
        return LockedFile(keys, ask, ask)

    @property
    def keyring(self) -> Keyring:
        return Keyring(self.desktop, KeyringError)

    def book(self, *, for_live: bool = False, env_keys: bool = False) -> KeyBook:
        credentials, variables = CredentialFiles(self.environment), Variables(self.environment)
        return KeyBook(
            (credentials, self.plain, self.locked, self.keyring, variables),
            for_live=for_live,
            env_keys=env_keys,
            warn=self.warnings.append,
            learned=lambda secret: self.learned.append(secret.reveal()),
        )


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def _fill(places: Places) -> None:
    """A different value in each place."""
    places.credential("alpaca_secret", "s3cr3t-of-credentials\n")
    places.plain.put(ALPACA_SECRET, Secret("s3cr3t-of-file"), NOW)
    places.locked.put(ALPACA_SECRET, Secret("s3cr3t-of-locked"), NOW)
    places.keyring.put(ALPACA_SECRET, Secret("s3cr3t-of-keyring"), NOW)
    places.environment[VARIABLE] = "s3cr3t-of-environment"


def _shown(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def test_the_places_are_asked_in_their_order(places: Places) -> None:
    _fill(places)
    empty: list[tuple[str, Callable[[], object]]] = [
        ("credentials", lambda: (places.folder / "credentials" / "alpaca_secret").unlink()),
        ("file", lambda: places.plain.remove(ALPACA_SECRET)),
        ("locked", lambda: places.locked.remove(ALPACA_SECRET)),
        ("keyring", lambda: places.keyring.remove(ALPACA_SECRET)),
        ("environment", lambda: places.environment.pop(VARIABLE)),
    ]
    for name, remove in empty:
        assert _shown(places.book().get(ALPACA_SECRET)) == f"s3cr3t-of-{name}"
        remove()
    assert places.book().get(ALPACA_SECRET) is None
    assert [place.place for place in places.book().places] == list(Place)


def test_whatever_was_read_is_hidden_from_logs(places: Places) -> None:
    _fill(places)
    places.book().get(ALPACA_SECRET)
    assert places.learned == ["s3cr3t-of-credentials"]


def test_a_value_that_cannot_be_the_key_is_refused_hidden_and_not_told(places: Places) -> None:
    places.credential("alpaca_key", "not a key id at all")
    with pytest.raises(ConfigError) as raised:
        places.book().get(ALPACA_KEY_ID)
    assert "of the credentials cannot be used" in str(raised.value)
    assert "not a key id" not in str(raised.value)
    assert places.learned == ["not a key id at all"]


def test_a_missing_key_says_what_to_do(places: Places) -> None:
    with pytest.raises(ConfigError) as raised:
        places.book().require(ALPACA_SECRET)
    assert raised.value.exit_code == 78
    assert "alpaca.secret is missing" in str(raised.value)
    assert "tradedeck keys set alpaca.secret" in str(raised.value)


def test_the_passphrase_is_asked_once_and_only_for_what_the_file_holds(places: Places) -> None:
    places.locked.put(ALPACA_SECRET, Secret("s3cr3t-of-locked"), NOW)
    places.asked = 0
    book = places.book()
    assert book.get(EDGAR_CONTACT) is None
    assert dict(book.places[2].names()) == {ALPACA_SECRET: NOW}
    assert places.asked == 0
    assert _shown(book.get(ALPACA_SECRET)) == _shown(book.get(ALPACA_SECRET)) == "s3cr3t-of-locked"
    assert places.asked == 1


def test_a_place_that_cannot_be_trusted_is_never_skipped(places: Places) -> None:
    _fill(places)
    (places.folder / "credentials" / "alpaca_secret").chmod(0o644)
    with pytest.raises(ConfigError, match="mode 0644"):
        places.book().get(ALPACA_SECRET)
    (places.folder / "credentials" / "alpaca_secret").unlink()
    places.plain.path.chmod(0o644)
    with pytest.raises(ConfigError, match=f"chmod 600 {places.plain.path}"):
        places.book().get(ALPACA_SECRET)


def test_a_locked_keyring_is_told_without_its_words(places: Places) -> None:
    places.desktop.is_locked = True
    places.environment[VARIABLE] = "s3cr3t-of-environment"
    with pytest.raises(StorageError) as raised:
        places.book().get(ALPACA_SECRET)
    assert "KeyringError" in str(raised.value)
    assert "s3cr3t" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_key_of_the_environment_is_warned_about_once(places: Places) -> None:
    places.environment[VARIABLE] = "s3cr3t-of-environment"
    book = places.book()
    book.get(ALPACA_SECRET)
    book.get(ALPACA_SECRET)
    (warning,) = places.warnings
    assert VARIABLE in warning
    assert "s3cr3t" not in warning


def test_for_real_money_a_key_of_the_environment_needs_a_word(places: Places) -> None:
    places.environment[VARIABLE] = "s3cr3t-of-environment"
    with pytest.raises(ConfigError, match="--env-keys") as raised:
        places.book(for_live=True).get(ALPACA_SECRET)
    assert "s3cr3t" not in str(raised.value)
    book = places.book(for_live=True, env_keys=True)
    assert _shown(book.get(ALPACA_SECRET)) == "s3cr3t-of-environment"
    assert len(places.warnings) == 1


def test_for_real_money_a_kept_key_needs_no_word(places: Places) -> None:
    places.plain.put(ALPACA_SECRET, Secret("s3cr3t-of-file"), NOW)
    places.environment[VARIABLE] = "s3cr3t-of-environment"
    assert _shown(places.book(for_live=True).get(ALPACA_SECRET)) == "s3cr3t-of-file"


@pytest.mark.parametrize("folder", ["", "relative/folder", "/nowhere/at/all"])
def test_without_a_folder_of_credentials_there_are_none(folder: str) -> None:
    credentials = CredentialFiles({"CREDENTIALS_DIRECTORY": folder})
    assert credentials.get(ALPACA_SECRET) is None
    assert credentials.names() == {}


@pytest.mark.parametrize(
    ("text", "value"), [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a", " a"), ("", "")]
)
def test_a_credential_loses_one_line_break_and_nothing_else(places: Places, text: str, value: str) -> None:
    places.credential("alpaca_secret", text)
    assert _shown(CredentialFiles(places.environment).get(ALPACA_SECRET)) == value


def test_a_credential_that_is_no_text_is_refused(places: Places) -> None:
    places.credential("alpaca_secret", "")
    write_private(places.folder / "credentials" / "alpaca_secret", b"\xff\xfe")
    with pytest.raises(ConfigError, match="is no text"):
        CredentialFiles(places.environment).get(ALPACA_SECRET)


@pytest.mark.parametrize("place", ["plain", "locked", "keyring"])
def test_a_key_is_put_replaced_listed_and_removed(places: Places, place: str) -> None:
    def at():  # type: ignore[no-untyped-def]
        return getattr(places, place)

    at().put(ALPACA_SECRET, Secret("first-value"), NOW)
    at().put(EDGAR_CONTACT, Secret("me@example.com"), NOW + 1)
    at().put(ALPACA_SECRET, Secret("second-value"), NOW + 2)
    assert dict(at().names()) == {ALPACA_SECRET: NOW + 2, EDGAR_CONTACT: NOW + 1}
    assert _shown(at().get(ALPACA_SECRET)) == "second-value"
    at().remove(ALPACA_SECRET)
    assert at().get(ALPACA_SECRET) is None
    assert _shown(at().get(EDGAR_CONTACT)) == "me@example.com"
    at().remove(ALPACA_SECRET)
    assert dict(at().names()) == {EDGAR_CONTACT: NOW + 1}


def test_keys_of_a_newer_release_are_kept(places: Places) -> None:
    places.plain.put(KeyName("later.key"), Secret("later-value"), NOW)
    places.plain.put(ALPACA_SECRET, Secret("s3cr3t-of-file"), NOW)
    assert _shown(places.plain.get(KeyName("later.key"))) == "later-value"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"version":2,"keys":{}}',
        b'{"keys":{}}',
        b'{"version":1}',
        b'{"version":1,"keys":[]}',
        b'{"version":1,"keys":{"a":1}}',
        b'{"version":1,"keys":{"a":{}}}',
        b'{"version":1,"keys":{"a":{"value":1}}}',
        b'{"version":1,"keys":{"a":{"value":"s3cr3t-value","set_us":"x"}}}',
        b'{"version":1,"keys":{"a":{"value":"s3cr3t-value","set_us":true}}}',
        b'{"version":1,"keys":{"a":{"value":"s3cr3t-val',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_a_damaged_file_is_told_without_what_stands_in_it(places: Places, content: bytes) -> None:
    write_private(places.plain.path, content)
    with pytest.raises(ConfigError, match="damaged") as raised:
        places.plain.get(ALPACA_SECRET)
    assert "s3cr3t" not in str(raised.value)
    assert raised.value.__cause__ is None
    with pytest.raises(ConfigError):
        places.plain.put(ALPACA_SECRET, Secret("new-value"), NOW)
    assert places.plain.path.read_bytes() == content


def test_a_keyring_that_another_program_filled_has_no_age(places: Places) -> None:
    places.desktop.set_password("tradedeck", ALPACA_SECRET, "s3cr3t-of-keyring")
    assert dict(places.keyring.names()) == {ALPACA_SECRET: None}
    places.desktop.set_password("tradedeck", f"{ALPACA_SECRET}:set_us", "yesterday")
    assert dict(places.keyring.names()) == {ALPACA_SECRET: None}


def test_the_keyring_is_used_only_where_its_package_is(monkeypatch: pytest.MonkeyPatch) -> None:
    desktop = DesktopKeyring()
    errors = types.ModuleType("keyring.errors")
    errors.KeyringError = KeyringError  # type: ignore[attr-defined]
    package = types.ModuleType("keyring")
    package.__spec__ = types.SimpleNamespace(name="keyring")  # type: ignore[assignment]
    package.get_password = desktop.get_password  # type: ignore[attr-defined]
    package.errors = errors  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", package)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    desktop.set_password("tradedeck", ALPACA_SECRET, "s3cr3t-of-keyring")
    found = find_keyring()
    assert found is not None
    assert _shown(found.get(ALPACA_SECRET)) == "s3cr3t-of-keyring"


def test_a_missing_package_is_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert find_keyring() is None


def test_the_passphrase_comes_from_the_service_before_a_person(places: Places) -> None:
    def answer(value: str | None) -> Callable[[], Secret | None]:
        return lambda: None if value is None else Secret(value)

    def found(environment: Mapping[str, str], value: str | None) -> str:
        return passphrase_of(CredentialFiles(environment), answer(value))().reveal()

    assert found(places.environment, "typed") == "typed"
    places.credential("keys_passphrase", "of the service\n")
    assert found(places.environment, "typed") == "of the service"
    with pytest.raises(ConfigError, match="nobody can be asked"):
        found({}, None)


def test_the_file_is_readable_json_for_its_owner(places: Places) -> None:
    places.plain.put(ALPACA_SECRET, Secret("s3cr3t-of-file"), NOW)
    document = json.loads(places.plain.path.read_text())
    entry = {"value": "s3cr3t-of-file", "set_us": NOW}
    assert document == {"version": 1, "keys": {ALPACA_SECRET: entry}}
