"""The installation's Ed25519 key: what carries its signature was made here, and not changed since.

A signature reads `ed25519:key id:value`, a public key `ed25519:key id:key`, both hexadecimal. The id is the
start of the SHA-256 of the public key: a signature of another installation is told from a forged one. What is
signed begins with its purpose, so that no signature of a model passes for one of a report.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from engine.errors import DataError, StorageError
from storage.ownfile import make_own, read_own

SEED_BYTES = 32
_WHAT = "the signing key"
_HARM = "sign in your name"
_SIGNATURE = re.compile(r"ed25519:(?P<id>[0-9a-f]{16}):(?P<value>[0-9a-f]{128})")
_PUBLIC = re.compile(r"ed25519:(?P<id>[0-9a-f]{16}):(?P<key>[0-9a-f]{64})")


class Purpose(StrEnum):
    """What a signature is for."""

    REPORT = "report"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Checks signatures; may be given to anybody."""

    raw: bytes

    @property
    def id(self) -> str:
        """Names the key."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    @property
    def text(self) -> str:
        """The line that `read_public` takes."""
        return f"ed25519:{self.id}:{self.raw.hex()}"

    def made(self, signature: str) -> bool:
        """Whether a signature says that it is of this key."""
        found = _SIGNATURE.fullmatch(signature)
        return found is not None and found["id"] == self.id

    def fits(self, signature: str, purpose: Purpose, message: bytes) -> bool:
        """Whether the signature is this key's, for exactly these bytes and this purpose."""
        # Signatures are rare; the library takes 50 ms.
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        found = _SIGNATURE.fullmatch(signature)
        if found is None or found["id"] != self.id:
            return False
        try:
            key = Ed25519PublicKey.from_public_bytes(self.raw)
            key.verify(bytes.fromhex(found["value"]), _framed(purpose, message))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Signs; its seed is never shown."""

    seed: bytes = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """What others check with."""
        # Signatures are rare; the library takes 50 ms.
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return PublicKey(Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def sign(self, purpose: Purpose, message: bytes) -> str:
        """The signature of these bytes for this purpose; the same bytes give the same one."""
        # Signatures are rare; the library takes 50 ms.
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        value = Ed25519PrivateKey.from_private_bytes(self.seed).sign(_framed(purpose, message))
        return f"ed25519:{self.public.id}:{value.hex()}"


def key_named(signature: str) -> str | None:
    """The id of the key that a signature says it is of; None for what is no signature."""
    found = _SIGNATURE.fullmatch(signature)
    return None if found is None else found["id"]


def read_public(text: str) -> PublicKey:
    """The public key of its line. Raises DataError for another text, and for an id that is not the key's."""
    found = _PUBLIC.fullmatch(text.strip())
    key = None if found is None else PublicKey(bytes.fromhex(found["key"]))
    if found is None or key is None or key.id != found["id"]:
        raise DataError(
            "this is no public key of a tradedeck installation",
            "Take the line that tradedeck report key prints there",
        )
    return key


def make_or_read_signing_key(path: Path) -> SigningKey:
    """The installation's key, made where there is none.

    Raises ConfigError for a file that is not ours alone, StorageError where it cannot be read or written.
    """
    found = read_signing_key(path)
    if found is not None:
        return found
    make_own(path, f"{secrets.token_hex(SEED_BYTES)}\n".encode(), _WHAT)
    # Two commands may make it at once: the file that is there in the end is the key.
    made = read_signing_key(path)
    if made is None:
        raise StorageError(f"the signing key {path} vanished as it was made", "Try again")
    return made


def read_signing_key(path: Path) -> SigningKey | None:
    """The key in `path`; None where there is none. Raises ConfigError and StorageError."""
    text = read_own(path, _WHAT, _HARM)
    if text is None:
        return None
    try:
        seed = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise StorageError(
            f"{path} holds no signing key of {SEED_BYTES} bytes",
            "Restore it from a backup; or move it away: a new one is made, what was signed with the old one"
            " is checked with its public key only",
        )
    return SigningKey(seed)


def _framed(purpose: Purpose, message: bytes) -> bytes:
    return f"tradedeck {purpose.value}\n".encode() + message
