"""keys.enc: nothing can be read without the passphrase, and nothing can be changed unseen."""

import json
import random
from pathlib import Path

import pytest

from engine.errors import ConfigError
from engine.model.secrets import ALPACA_KEY_ID, ALPACA_SECRET, Secret
from storage.locked_keys import MAGIC, Cost, Kept, LockedKeys
from storage.private_files import write_private

CHEAP = Cost(n=1 << 14)
PASSPHRASE = Secret("four words are enough")
KEYS = {
    ALPACA_KEY_ID: Kept(Secret("PKTEST0123456789ABCD"), 1_700_000_000_000_000),
    ALPACA_SECRET: Kept(Secret("s3cr3t-CANARY-0123456789"), None),
}


@pytest.fixture
def locked(tmp_path: Path) -> LockedKeys:
    keys = LockedKeys(tmp_path / "own" / "keys.enc", CHEAP)
    keys.save(KEYS, PASSPHRASE)
    return keys


def test_what_was_kept_is_read_with_the_passphrase(locked: LockedKeys) -> None:
    assert LockedKeys(locked.path).open(PASSPHRASE) == KEYS
    assert locked.names() == {ALPACA_KEY_ID: 1_700_000_000_000_000, ALPACA_SECRET: None}


def test_nothing_of_a_value_stands_in_the_file(locked: LockedKeys) -> None:
    content = locked.path.read_bytes()
    assert all(kept.secret.reveal().encode() not in content for kept in KEYS.values())
    assert PASSPHRASE.reveal().encode() not in content


def test_parameters_are_stored_and_used(locked: LockedKeys) -> None:
    header = json.loads(locked.path.read_bytes().splitlines()[1])
    assert header["cipher"] == "aes-256-gcm"
    assert {name: header["kdf"][name] for name in ("name", "n", "r", "p")} == {
        "name": "scrypt",
        "n": 16_384,
        "r": 8,
        "p": 1,
    }
    dear = LockedKeys(locked.path, Cost(n=1 << 15))
    dear.save(KEYS, PASSPHRASE)
    assert json.loads(locked.path.read_bytes().splitlines()[1])["kdf"]["n"] == 32_768
    assert locked.open(PASSPHRASE) == KEYS


def test_the_default_cost_is_what_is_advised_today() -> None:
    assert (Cost().n, Cost().r, Cost().p) == (1 << 17, 8, 1)
    assert Cost().is_sane


def test_every_save_has_a_salt_and_a_nonce_of_its_own(locked: LockedKeys) -> None:
    before = locked.path.read_bytes().splitlines()
    locked.save(KEYS, PASSPHRASE)
    after = locked.path.read_bytes().splitlines()
    assert before[1] != after[1]
    assert before[2] != after[2]


@pytest.mark.parametrize("wrong", ["four words are enougH", "", "four words are enough ", "x" * 1000])
def test_a_wrong_passphrase_opens_nothing(locked: LockedKeys, wrong: str) -> None:
    with pytest.raises(ConfigError, match="the passphrase is wrong, or the file was altered"):
        locked.open(Secret(wrong))


def test_the_same_words_of_another_keyboard_are_the_same(locked: LockedKeys) -> None:
    locked.save(KEYS, Secret("Zürich im Frühling"))
    assert locked.open(Secret("Zu\u0308rich im Fru\u0308hling")) == KEYS


@pytest.mark.parametrize("short", ["", "short", "elevenchars"])
def test_a_short_passphrase_is_refused_and_nothing_is_written(locked: LockedKeys, short: str) -> None:
    before = locked.path.read_bytes()
    with pytest.raises(ConfigError, match="shorter than 12"):
        locked.save(KEYS, Secret(short))
    assert locked.path.read_bytes() == before


def _ranges(content: bytes) -> dict[str, range]:
    """Where each class of bytes stands."""
    first = len(MAGIC)
    second = content.index(b"\n", first) + 1
    salt = content.index(b'"salt":"') + 8
    names = content.index(b'"keys":')
    return {
        "magic": range(first),
        "header": range(first, second),
        "salt": range(salt, salt + 32),
        "names": range(names, content.index(b"}", names) + 1),
        "nonce": range(second, second + 16),
        "ciphertext": range(second + 16, len(content) - 25),
        "tag": range(len(content) - 25, len(content)),
    }


@pytest.mark.parametrize("part", ["magic", "header", "salt", "names", "nonce", "ciphertext", "tag"])
def test_a_changed_byte_is_found_wherever_it_stands(locked: LockedKeys, part: str) -> None:
    content, chance = locked.path.read_bytes(), random.Random(7)
    places = _ranges(content)[part]
    for at in chance.sample(places, min(len(places), 12)):
        changed = bytearray(content)
        changed[at] ^= 1 << chance.randrange(8)
        write_private(locked.path, bytes(changed))
        with pytest.raises(ConfigError):
            locked.open(PASSPHRASE)


def test_a_file_that_was_cut_off_is_refused_at_every_length(locked: LockedKeys) -> None:
    content = locked.path.read_bytes()
    for length in sorted({0, 1, len(MAGIC), len(content) - 1, *range(2, len(content), 37)}):
        write_private(locked.path, content[:length])
        with pytest.raises(ConfigError):
            locked.open(PASSPHRASE)


def test_what_follows_the_end_is_refused(locked: LockedKeys) -> None:
    content = locked.path.read_bytes()
    for more in (b"\n", b" ", b"AAAA", content):
        write_private(locked.path, content + more)
        with pytest.raises(ConfigError):
            locked.open(PASSPHRASE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 1 << 30),
        ("n", 1 << 10),
        ("n", 16_385),
        ("n", 0),
        ("n", -16_384),
        ("n", 16_384.0),
        ("n", True),
        ("n", None),
        ("r", 1 << 20),
        ("r", 1),
        ("p", 10_000),
        ("p", 0),
        ("salt", ""),
        ("salt", "zz"),
        ("name", "pbkdf2"),
    ],
)
def test_a_header_that_cannot_be_meant_costs_nothing(locked: LockedKeys, field: str, value: object) -> None:
    magic, line, rest = locked.path.read_bytes().splitlines(keepends=True)
    header = json.loads(line)
    header["kdf"][field] = value
    write_private(locked.path, magic + json.dumps(header).encode() + b"\n" + rest)
    with pytest.raises(ConfigError, match="damaged"):
        locked.open(PASSPHRASE)
    with pytest.raises(ConfigError, match="damaged"):
        locked.names()


@pytest.mark.parametrize(
    "line", [b"[]", b"{}", b"null", b"[" * 100_000, b'{"kdf":1,"keys":2,"cipher":3}', b"\xff"]
)
def test_a_header_of_another_shape_is_refused(locked: LockedKeys, line: bytes) -> None:
    magic, _, rest = locked.path.read_bytes().splitlines(keepends=True)
    write_private(locked.path, magic + line + b"\n" + rest)
    with pytest.raises(ConfigError, match="damaged"):
        locked.open(PASSPHRASE)


def test_a_header_in_another_writing_of_the_same_is_refused(locked: LockedKeys) -> None:
    magic, line, rest = locked.path.read_bytes().splitlines(keepends=True)
    write_private(locked.path, magic + json.dumps(json.loads(line)).encode() + b"\n" + rest)
    with pytest.raises(ConfigError, match="altered"):
        locked.open(PASSPHRASE)


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    keys = LockedKeys(tmp_path / "keys.enc")
    assert (keys.names(), keys.open(PASSPHRASE)) == ({}, {})


def test_a_file_that_others_may_read_is_refused(locked: LockedKeys) -> None:
    locked.path.chmod(0o644)
    for use in (locked.names, lambda: locked.open(PASSPHRASE)):
        with pytest.raises(ConfigError, match="chmod 600"):
            use()
