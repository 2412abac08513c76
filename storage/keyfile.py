"""The HMAC key of approvals: 32 random bytes in a 0600 file of the state folder, made with the instance.

A signature reads `key id:HMAC-SHA256`, both hexadecimal. The id is the start of the key's own SHA-256: a
signature of another key is told from a forged one.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import StorageError
from storage.ownfile import drop_drafts, make_own, read_own

KEY_BYTES = 32
_WHAT, _HARM = "the approval key", "forge approvals"


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
    key = ApprovalKey(secrets.token_bytes(KEY_BYTES))
    drop_drafts(path)
    make_own(path, f"{key.secret.hex()}\n".encode(), _WHAT)
    return key


def read_key(path: Path) -> ApprovalKey | None:
    """The key in `path`; None where there is none. Raises ConfigError and StorageError."""
    text = read_own(path, _WHAT, _HARM)
    if text is None:
        return None
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
