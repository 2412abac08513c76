"""The HMAC key of approvals: 32 random bytes in a 0600 file of the state folder, made with the instance.

A signature reads `key id:HMAC-SHA256`, both hexadecimal. The id is the start of the key's own SHA-256: a
signature of another key is told from a forged one.
"""

import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import ConfigError, StorageError

KEY_BYTES = 32
PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class ApprovalKey:
    """Signs and checks; never shown."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Names the key without telling it."""
        return hashlib.sha256(self.secret).hexdigest()[:16]

    def sign(self, message: bytes) -> str:
        """The signature of an approval's canonical bytes."""
        return f"{self.id}:{hmac.new(self.secret, message, hashlib.sha256).hexdigest()}"

    def made(self, signature: str) -> bool:
        """Whether a signature says that it is of this key."""
        return signature.partition(":")[0] == self.id

    def fits(self, signature: str, message: bytes) -> bool:
        """Whether the signature is this key's for exactly these bytes."""
        return hmac.compare_digest(signature.encode(), self.sign(message).encode())


def make_or_read_key(path: Path) -> ApprovalKey:
    """The key of a state folder, made where there is none; the caller holds the folder's lock.

    Raises ConfigError for a file that is not ours alone, StorageError where it cannot be read or written.
    """
    found = read_key(path)
    if found is not None:
        return found
    key, draft = ApprovalKey(secrets.token_bytes(KEY_BYTES)), path.with_name(f"{path.name}.new")
    try:
        # Whole or not at all: a crash leaves the draft, which the next start writes again.
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            os.write(descriptor, f"{key.secret.hex()}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        draft.rename(path)
    except OSError as error:
        raise StorageError(
            f"cannot make the approval key {path}: {error.strerror}", "Check the state folder"
        ) from error
    return key


def read_key(path: Path) -> ApprovalKey | None:
    """The key in `path`; None where there is none. Raises ConfigError and StorageError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"cannot read the approval key {path}: {error.strerror}") from error
    try:
        _check_owner(path, os.fstat(descriptor))
        text = os.read(descriptor, 4 * KEY_BYTES)
    finally:
        os.close(descriptor)
    try:
        secret = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise StorageError(
            f"{path} holds no approval key of {KEY_BYTES} bytes",
            "Restore it from a backup; or move it away: a new one is made, old approvals stay unchecked then",
        )
    return ApprovalKey(secret)


def _check_owner(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise ConfigError(f"{path} is not a file of this user", "Move it away and start again")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(
            f"{path} can be read by other users (mode {stat.S_IMODE(found.st_mode):04o})",
            f"Whoever read it can forge approvals. Close it with chmod 600 {path}, or move it away",
        )
