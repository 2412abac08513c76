"""The installation's signing key: ours alone, whole or not at all, and what its signatures prove."""

import hashlib
import os
from pathlib import Path

import pytest

from engine.errors import ConfigError, DataError, StorageError
from storage.signing import (
    SEED_BYTES,
    PublicKey,
    Purpose,
    SigningKey,
    key_named,
    make_or_read_signing_key,
    read_public,
    read_signing_key,
)

REPORT, MODEL = Purpose.REPORT, Purpose.MODEL
MESSAGE = b"# Decision T-1\n| a | b |\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "signing.key"


@pytest.fixture
def key() -> SigningKey:
    return SigningKey(bytes(range(SEED_BYTES)))


def test_a_key_is_made_once_and_read_again(path: Path) -> None:
    assert read_signing_key(path) is None
    key = make_or_read_signing_key(path)
    assert make_or_read_signing_key(path) == key == read_signing_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == [path.name]


def test_the_first_of_two_that_make_it_wins(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_or_read_signing_key(path)
    found = iter([None])
    read = read_signing_key
    monkeypatch.setattr("storage.signing.read_signing_key", lambda where: next(found, None) or read(where))
    assert make_or_read_signing_key(path) == first
    assert os.listdir(path.parent) == [path.name]


def test_the_published_example_of_the_algorithm_is_reproduced() -> None:
    """RFC 8032, 7.1, test 1: the public key of a seed."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert SigningKey(seed).public.raw.hex() == public


def test_a_signature_names_its_key_and_fits_these_bytes_alone(key: SigningKey) -> None:
    signature = key.sign(REPORT, MESSAGE)
    assert signature == key.sign(REPORT, MESSAGE)
    name = hashlib.sha256(key.public.raw).hexdigest()[:16]
    assert signature.startswith(f"ed25519:{name}:")
    assert key_named(signature) == name == key.public.id
    assert key.public.made(signature)
    assert key.public.fits(signature, REPORT, MESSAGE)
    assert not key.public.fits(signature, MODEL, MESSAGE)


@pytest.mark.parametrize("at", range(len(MESSAGE)))
def test_every_flipped_byte_of_the_message_is_detected(key: SigningKey, at: int) -> None:
    changed = MESSAGE[:at] + bytes([MESSAGE[at] ^ 1]) + MESSAGE[at + 1 :]
    assert not key.public.fits(key.sign(REPORT, MESSAGE), REPORT, changed)


@pytest.mark.parametrize("at", [0, 8, 12, 23, 24, 25, 60, 100, 151])
def test_every_part_of_the_signature_counts(key: SigningKey, at: int) -> None:
    signature = key.sign(REPORT, MESSAGE)
    other = "0" if signature[at] != "0" else "1"
    changed = signature[:at] + other + signature[at + 1 :]
    assert not key.public.fits(changed, REPORT, MESSAGE)


@pytest.mark.parametrize("text", ["", "ed25519:", "ed25519:ab:cd", "ed25519:" + "a" * 16 + ":" + "é" * 128])
def test_what_is_no_signature_fits_nothing(key: SigningKey, text: str) -> None:
    assert key_named(text) is None
    assert not key.public.made(text)
    assert not key.public.fits(text, REPORT, MESSAGE)


def test_the_key_of_another_installation_does_not_pass(key: SigningKey) -> None:
    other = SigningKey(b"o" * SEED_BYTES)
    signature = other.sign(REPORT, MESSAGE)
    assert not key.public.made(signature)
    forged = signature.replace(other.public.id, key.public.id)
    assert key.public.made(forged)
    assert not key.public.fits(forged, REPORT, MESSAGE)


def test_the_seed_is_not_shown(key: SigningKey) -> None:
    assert repr(key) == "SigningKey()"
    assert key.seed.hex() not in f"{key}{key.public}{key.public.text}"


def test_a_public_key_goes_through_its_line(key: SigningKey) -> None:
    assert read_public(f"{key.public.text}\n") == key.public == PublicKey(key.public.raw)


@pytest.mark.parametrize(
    "text",
    ["", "ed25519:0000000000000000:" + "00" * 32, "rsa:1", "ed25519:zz:00", "\x1b]52;c;aGk=\x07"],
    ids=["empty", "other id", "other kind", "short", "hostile"],
)
def test_a_text_that_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="no public key"):
        read_public(text)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    make_or_read_signing_key(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"mode {mode:04o}"):
        make_or_read_signing_key(path)


@pytest.mark.parametrize("content", [b"", b"ab12\n", b"zz" * SEED_BYTES, b"\xff" * 64, b"ab" * 33])
def test_a_damaged_key_is_refused_and_kept(path: Path, content: bytes) -> None:
    make_or_read_signing_key(path)
    path.write_bytes(content)
    with pytest.raises(StorageError, match="holds no signing key"):
        make_or_read_signing_key(path)
    assert path.read_bytes() == content


def test_a_link_to_another_file_is_not_followed(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    make_or_read_signing_key(target)
    path.symlink_to(target)
    with pytest.raises(StorageError, match="cannot read the signing key"):
        make_or_read_signing_key(path)


def test_what_is_no_file_of_ours_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.mkdir()
    with pytest.raises(ConfigError, match="not a file of this user"):
        make_or_read_signing_key(path)
    path.rmdir()
    make_or_read_signing_key(path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigError, match="not a file of this user"):
        read_signing_key(path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot make the signing key"):
        make_or_read_signing_key(tmp_path / "missing" / "signing.key")


def test_a_key_that_vanishes_as_it_is_made_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.signing.read_signing_key", lambda where: None)
    with pytest.raises(StorageError, match="vanished"):
        make_or_read_signing_key(path)
