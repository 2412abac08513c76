"""The approval key: ours alone, whole or not at all, never shown."""

import hashlib
import hmac
import os
from pathlib import Path

import pytest

from engine.errors import ConfigError, StorageError
from storage.keyfile import KEY_BYTES, ApprovalKey, make_or_read_key, read_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "approval.key"


def test_a_key_is_made_once_and_read_again(path: Path) -> None:
    assert read_key(path) is None
    key = make_or_read_key(path)
    assert make_or_read_key(path) == key == read_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(key.secret) == KEY_BYTES
    assert os.listdir(path.parent) == [path.name]


def test_every_state_has_a_key_of_its_own(tmp_path: Path) -> None:
    assert make_or_read_key(tmp_path / "a").secret != make_or_read_key(tmp_path / "b").secret


def test_a_signature_is_the_hmac_and_names_its_key() -> None:
    key, other = ApprovalKey(b"k" * KEY_BYTES), ApprovalKey(b"l" * KEY_BYTES)
    signature = key.sign(b"text")
    name, _, digest = signature.partition(":")
    assert name == key.id == hashlib.sha256(key.secret).hexdigest()[:16]
    assert digest == hmac.new(key.secret, b"text", hashlib.sha256).hexdigest()
    assert key.made(signature)
    assert key.fits(signature, b"text")
    assert not key.fits(signature, b"texts")
    assert not key.fits(signature[:-1] + "é", b"text")
    assert not other.made(signature)
    assert not other.fits(signature, b"text")


def test_the_secret_is_not_shown() -> None:
    assert repr(ApprovalKey(b"secret" * 6)) == "ApprovalKey()"


def test_a_draft_that_a_crash_left_is_written_anew(path: Path) -> None:
    draft = path.with_name(".approval.key.0a1b2c3d.new")
    draft.write_text("half")
    key = make_or_read_key(path)
    assert read_key(path) == key
    assert not draft.exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    make_or_read_key(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"mode {mode:04o}"):
        make_or_read_key(path)


@pytest.mark.parametrize("content", [b"", b"ab12\n", b"zz" * KEY_BYTES, b"\xff" * 64, b"ab" * 33])
def test_a_damaged_key_is_refused_and_kept(path: Path, content: bytes) -> None:
    make_or_read_key(path)
    path.write_bytes(content)
    with pytest.raises(StorageError, match="holds no approval key"):
        make_or_read_key(path)
    assert path.read_bytes() == content


def test_a_link_to_another_file_is_not_followed(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    make_or_read_key(target)
    path.symlink_to(target)
    with pytest.raises(StorageError, match="cannot read the approval key"):
        make_or_read_key(path)


def test_what_is_no_file_of_ours_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.mkdir()
    with pytest.raises(ConfigError, match="not a file of this user"):
        make_or_read_key(path)
    path.rmdir()
    make_or_read_key(path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigError, match="not a file of this user"):
        read_key(path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot make the approval key"):
        make_or_read_key(tmp_path / "missing" / "approval.key")
