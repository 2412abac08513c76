"""`keys.enc`: keys under a passphrase, AES-256-GCM with a key of scrypt.

The file is three lines: what it is, a header in JSON, and nonce and ciphertext in base64. Both lines before
the ciphertext are authenticated with it. The header holds the parameters of scrypt and the salt, and the
names of the keys with the time they were set, so that they can be listed without the passphrase.
"""

import json
import os
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ConfigError
from engine.model.secrets import KeyName, Secret
from storage.private_files import read_private, write_private

MAGIC = b"tradedeck keys 1\n"
LARGEST = 1_000_000
SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 12, 32
SHORTEST_PASSPHRASE = 12
_ALTERED = "Restore it from a backup, or move it away and set the keys anew"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one guess at the passphrase: 128 * n * r bytes of memory. 2^17, 8, 1: 128 MB and about 0.4 s."""

    n: int = 1 << 17
    r: int = 8
    p: int = 1

    @property
    def is_sane(self) -> bool:
        """Dear enough for an attacker, and no file makes us take all memory (RFC 7914, OWASP)."""
        is_power = self.n & (self.n - 1) == 0
        return is_power and 1 << 14 <= self.n <= 1 << 20 and 8 <= self.r <= 16 and 1 <= self.p <= 16


@dataclass(frozen=True, slots=True)
class Kept:
    """A value and when it was set, int microseconds UTC; None: nobody knows."""

    secret: Secret
    set_us: int | None


@dataclass(frozen=True, slots=True)
class _Header:
    cost: Cost
    salt: bytes
    names: Mapping[KeyName, int | None]


class LockedKeys:
    """The encrypted file of one person."""

    def __init__(self, path: Path, cost: Cost | None = None) -> None:
        self.path = path
        self._cost = cost or Cost()

    def names(self) -> Mapping[KeyName, int | None]:
        """Which keys it holds and since when, as its header says; empty where there is no file.

        Raises ConfigError for a damaged file and one that is not ours alone.
        """
        content = read_private(self.path, LARGEST)
        return {} if content is None else self._parts(content)[0].names

    def open(self, passphrase: Secret) -> dict[KeyName, Kept]:
        """What it holds. Raises ConfigError for a wrong passphrase or an altered file: they look the same."""
        from cryptography.exceptions import InvalidTag  # OpenSSL: 40 ms
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        content = read_private(self.path, LARGEST)
        if content is None:
            return {}
        header, authenticated, sealed = self._parts(content)
        try:
            plain = AESGCM(_derive(passphrase, header)).decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], authenticated
            )
        except InvalidTag as error:
            raise ConfigError(
                f"{self.path} cannot be opened: the passphrase is wrong, or the file was altered",
                "Try again; if it is right, restore the file from a backup or set the keys anew",
            ) from error
        values: dict[str, str] = json.loads(plain)
        return {KeyName(n): Kept(Secret(text), header.names[KeyName(n)]) for n, text in values.items()}

    def save(self, keys: Mapping[KeyName, Kept], passphrase: Secret) -> None:
        """Write the file anew, with a salt and a nonce of its own. Raises ConfigError and StorageError."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # OpenSSL: 40 ms

        if len(passphrase.reveal()) < SHORTEST_PASSPHRASE:
            raise ConfigError(
                f"the passphrase is shorter than {SHORTEST_PASSPHRASE} characters", "Use several words"
            )
        names = {name: kept.set_us for name, kept in keys.items()}
        header = _Header(self._cost, os.urandom(SALT_BYTES), names)
        authenticated = MAGIC + _header_line(header)
        plain = json.dumps({name: kept.secret.reveal() for name, kept in keys.items()}).encode()
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + AESGCM(_derive(passphrase, header)).encrypt(nonce, plain, authenticated)
        write_private(self.path, authenticated + b64encode(sealed) + b"\n")

    def _parts(self, content: bytes) -> tuple[_Header, bytes, bytes]:
        """Header, what is authenticated with the ciphertext, nonce and ciphertext."""
        if not content.startswith(MAGIC):
            raise ConfigError(f"{self.path} is no file of keys of this release", _ALTERED)
        line, newline, rest = content[len(MAGIC) :].partition(b"\n")
        try:
            header = _read_header(line)
            sealed = b64decode(rest.removesuffix(b"\n"), validate=True)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigError(f"{self.path} is damaged", _ALTERED) from error
        # Base64 has spare bits that say nothing: only the one way that we write it is ours.
        is_ours = b64encode(sealed) + b"\n" == rest and len(sealed) > NONCE_BYTES
        if not header.cost.is_sane or len(header.salt) != SALT_BYTES or not is_ours:
            raise ConfigError(f"{self.path} is damaged: its header cannot be meant", _ALTERED)
        return header, MAGIC + line + newline, sealed


def _header_line(header: _Header) -> bytes:
    cost = header.cost
    document = {
        "cipher": "aes-256-gcm",
        "kdf": {"name": "scrypt", "n": cost.n, "p": cost.p, "r": cost.r, "salt": header.salt.hex()},
        "keys": header.names,
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _read_header(line: bytes) -> _Header:
    document = json.loads(line)
    kdf, names = document["kdf"], document["keys"]
    if (document["cipher"], kdf["name"]) != ("aes-256-gcm", "scrypt"):
        raise ValueError("another cipher")
    numbers = (kdf["n"], kdf["r"], kdf["p"], *(at for at in names.values() if at is not None))
    if not all(type(number) is int for number in numbers):
        raise ValueError("no whole number")
    return _Header(Cost(*numbers[:3]), bytes.fromhex(kdf["salt"]), dict(names))


def _derive(passphrase: Secret, header: _Header) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # OpenSSL: 40 ms

    cost = header.cost
    scrypt = Scrypt(salt=header.salt, length=KEY_BYTES, n=cost.n, r=cost.r, p=cost.p)
    # The same words typed on another keyboard may come as other characters.
    return scrypt.derive(unicodedata.normalize("NFKC", passphrase.reveal()).encode())
