"""`tradedeck keys`: kept, listed and removed, and no value is ever shown."""

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.lock import StateLock
from storage.paths import Home, find_home

CANARY = "abcDEF123+CANARY/9876543210"
KEY_ID = "PKCANARY0123456789AB"
DAY_S = 86_400
Pipe = Callable[[str], None]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    """What the next command reads on standard input."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.fixture
def home() -> Home:
    return find_home(os.environ)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def _credential(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.touch(0o600)
    path.write_text(text)


def test_a_piped_value_is_kept_private_and_never_shown(deck, pipe: Pipe, home: Home) -> None:  # type: ignore[no-untyped-def]
    pipe(f"{CANARY}\n")
    ended = deck("keys", "set", "alpaca.secret", "--json")
    assert ended.code == 0
    assert json.loads(ended.out) == {"name": "alpaca.secret", "place": "file", "used_from": "file"}
    assert CANARY not in ended.out + ended.err
    path = home.config / "keys.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["keys"]["alpaca.secret"]["value"] == CANARY


@pytest.mark.parametrize(
    "arguments",
    [("alpaca.secret", CANARY), ("alpaca.secret", "--json", CANARY), ("alpaca.secret", CANARY, "x")],
)
def test_a_value_on_the_command_line_is_refused_and_not_repeated(deck, home: Home, arguments) -> None:  # type: ignore[no-untyped-def]
    ended = deck("keys", "set", *arguments)
    assert ended.code == 2
    assert "never stands on the command line" in ended.err
    assert CANARY not in ended.out + ended.err
    assert not (home.config / "keys.json").exists()


def test_a_value_in_the_place_of_the_name_is_not_repeated(deck, pipe: Pipe) -> None:  # type: ignore[no-untyped-def]
    pipe("")
    for command in ("set", "rm"):
        ended = deck("keys", command, CANARY)
        assert (ended.code, CANARY in ended.out + ended.err) == (2, False)


def test_an_unknown_name_names_the_nearest(deck, pipe: Pipe) -> None:  # type: ignore[no-untyped-def]
    pipe(CANARY)
    ended = deck("keys", "set", "alpaca.secrets")
    assert ended.code == 2
    assert "The nearest is alpaca.secret" in ended.err


@pytest.mark.parametrize(
    "text", ["", "\n", "two words", f"{CANARY}\n{CANARY}\n", "x" * 10_000, "tab\there-it-is"]
)
def test_a_value_that_cannot_be_a_key_is_refused_and_the_old_one_stays(  # type: ignore[no-untyped-def]
    deck, pipe: Pipe, home: Home, text: str
) -> None:
    pipe(CANARY)
    deck("keys", "set", "alpaca.secret")
    before = (home.config / "keys.json").read_bytes()
    pipe(text)
    ended = deck("keys", "set", "alpaca.secret")
    assert ended.code == 2
    assert "that cannot be alpaca.secret" in ended.err
    assert not text.strip() or text.strip() not in ended.err
    assert (home.config / "keys.json").read_bytes() == before


def test_the_list_says_where_from_how_old_and_what_is_missing(deck, pipe: Pipe, home: Home) -> None:  # type: ignore[no-untyped-def]
    pipe(CANARY)
    deck("keys", "set", "alpaca.secret")
    document = json.loads(deck("keys", "list", "--json").out)
    rows = {row["name"]: row for row in document}
    assert rows["alpaca.secret"] | {"for": ""} == {
        "name": "alpaca.secret",
        "from": "file",
        "also_in": [],
        "age_days": 0,
        "remind": False,
        "for": "",
    }
    assert (rows["alpaca.key_id"]["from"], rows["alpaca.key_id"]["age_days"]) == (None, None)
    plain = deck("keys", "list")
    assert "not set" in plain.out
    assert CANARY not in plain.out + plain.err


@pytest.mark.parametrize(("days", "reminded"), [(90, False), (91, True), (900, True), (-5, False)])
def test_a_key_older_than_ninety_days_is_reminded_of(  # type: ignore[no-untyped-def]
    deck, pipe: Pipe, home: Home, days: int, reminded: bool
) -> None:
    pipe(CANARY)
    deck("keys", "set", "alpaca.secret")
    path = home.config / "keys.json"
    document = json.loads(path.read_text())
    document["keys"]["alpaca.secret"]["set_us"] -= (days * DAY_S + 60) * 1_000_000
    path.write_text(json.dumps(document))
    rows = {row["name"]: row for row in json.loads(deck("keys", "list", "--json").out)}
    assert rows["alpaca.secret"]["remind"] is reminded
    assert ("make a new one" in deck("keys", "list").err) is reminded


def test_a_file_that_others_may_read_is_refused_by_every_command(deck, pipe: Pipe, home: Home) -> None:  # type: ignore[no-untyped-def]
    pipe(CANARY)
    deck("keys", "set", "alpaca.secret")
    (home.config / "keys.json").chmod(0o644)
    for arguments in (("list",), ("rm", "alpaca.secret"), ("set", "alpaca.secret")):
        pipe(CANARY)
        ended = deck("keys", *arguments)
        assert ended.code == 78
        assert f"chmod 600 {home.config / 'keys.json'}" in ended.err


def test_a_stronger_place_is_named_when_a_key_is_set(deck, pipe: Pipe, credentials: Path) -> None:  # type: ignore[no-untyped-def]
    _credential(credentials, "alpaca_secret", "the-one-of-the-service")
    pipe(CANARY)
    ended = deck("keys", "set", "alpaca.secret", "--json")
    assert json.loads(ended.out)["used_from"] == "credentials"
    assert "The credentials holds alpaca.secret too and wins" in ended.err or "credentials" in ended.err
    rows = {row["name"]: row for row in json.loads(deck("keys", "list", "--json").out)}
    assert (rows["alpaca.secret"]["from"], rows["alpaca.secret"]["also_in"]) == ("credentials", ["file"])
    assert "alpaca.secret is in the file too" in deck("keys", "list").err


def test_a_key_is_kept_under_the_passphrase_of_the_service(  # type: ignore[no-untyped-def]
    deck, pipe: Pipe, credentials: Path, home: Home
) -> None:
    _credential(credentials, "keys_passphrase", "four words are enough\n")
    pipe(CANARY)
    assert deck("keys", "set", "alpaca.secret", "--encrypted").code == 0
    pipe(KEY_ID)
    assert deck("keys", "set", "alpaca.key_id", "--encrypted").code == 0
    content = (home.config / "keys.enc").read_text()
    assert CANARY not in content
    assert not (home.config / "keys.json").exists()
    rows = {row["name"]: row["from"] for row in json.loads(deck("keys", "list", "--json").out)}
    assert (rows["alpaca.secret"], rows["alpaca.key_id"]) == ("encrypted file", "encrypted file")
    _credential(credentials, "keys_passphrase", "other words altogether\n")
    pipe(CANARY)
    ended = deck("keys", "set", "alpaca.secret", "--encrypted")
    assert ended.code == 78
    assert "the passphrase is wrong" in ended.err
    assert (home.config / "keys.enc").read_text() == content


def test_a_key_is_removed_from_wherever_we_may_write(  # type: ignore[no-untyped-def]
    deck, pipe: Pipe, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    pipe(CANARY)
    deck("keys", "set", "alpaca.secret")
    monkeypatch.setenv("TRADEDECK_KEY_ALPACA_SECRET", "the-one-of-the-environment")
    ended = deck("keys", "rm", "alpaca.secret", "--json")
    assert json.loads(ended.out) == {
        "name": "alpaca.secret",
        "removed_from": ["file"],
        "still_in": ["environment"],
    }
    assert "still in the environment" in ended.err
    assert CANARY not in (home.config / "keys.json").read_text()
    monkeypatch.delenv("TRADEDECK_KEY_ALPACA_SECRET")
    ended = deck("keys", "rm", "alpaca.secret")
    assert (ended.code, "no place holds alpaca.secret" in ended.err) == (2, True)


def test_two_places_at_once_are_refused(deck, pipe: Pipe) -> None:  # type: ignore[no-untyped-def]
    pipe(CANARY)
    assert deck("keys", "set", "alpaca.secret", "--encrypted", "--keyring").code == 2


def test_a_keyring_that_is_not_installed_is_told(deck, pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setitem(sys.modules, "keyring", None)
    pipe(CANARY)
    ended = deck("keys", "set", "alpaca.secret", "--keyring")
    assert ended.code == 78
    assert "not installed" in ended.err


def test_two_commands_at_once_do_not_lose_a_key(deck, pipe: Pipe, home: Home) -> None:  # type: ignore[no-untyped-def]
    home.make()
    with StateLock.acquire(home.config / "keys.lock"):
        pipe(CANARY)
        ended = deck("keys", "set", "alpaca.secret")
    assert ended.code == 75
    assert "another command changes the keys" in ended.err
    assert not (home.config / "keys.json").exists()
