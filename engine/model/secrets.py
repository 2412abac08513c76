"""Keys and other secrets of a person: which there are, and the value that never shows itself."""

import difflib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, NoReturn

from engine.errors import UsageError

KeyName = NewType("KeyName", str)
HIDDEN = "***"
LONGEST = 4096
"""Characters of a value; no provider's key comes near it."""
REMIND_AFTER_DAYS = 90


class Secret:
    """A text that is read by `reveal` alone. Shown, formatted or logged it is `***`; it cannot be copied out.

    Two are compared in constant time. It has no hash: whoever looks things up by a secret leaks its timing.
    """

    __slots__ = ("_text",)
    __hash__ = None  # type: ignore[assignment]  # what cannot be hashed says so by None

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for the one call that sends it, never for a message."""
        return self._text

    def __repr__(self) -> str:
        return HIDDEN

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is neither copied nor stored by whoever holds it")


class Place(StrEnum):
    """Where a value can be, in the order in which they are asked (RELIABILITY 9)."""

    CREDENTIALS = "credentials"
    """A file of systemd's LoadCredential, in $CREDENTIALS_DIRECTORY."""
    FILE = "file"
    """keys.json of the config folder, readable by its owner only."""
    ENCRYPTED = "encrypted file"
    """keys.enc of the config folder, under a passphrase."""
    KEYRING = "keyring"
    """The desktop's own, where the package of that name is installed."""
    ENVIRONMENT = "environment"
    """A variable; every program that is started from here can read it."""


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One key that the product knows. `credential`: its file in $CREDENTIALS_DIRECTORY."""

    name: KeyName
    words: str
    credential: str
    shape: str
    """A regular expression that the whole value matches."""
    shape_words: str

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return f"TRADEDECK_KEY_{self.name.upper().replace('.', '_')}"

    def why_not(self, text: str) -> str:
        """Why a value cannot be this key, without telling it; "" when it can."""
        if not text:
            return "it is empty"
        if len(text) > LONGEST:
            return f"it has {len(text):,} characters, at most {LONGEST:,} are taken"
        if any(not character.isprintable() for character in text):
            return "it holds a line break or another character that cannot be printed"
        if not re.fullmatch(self.shape, text):
            return f"it is not {self.shape_words}"
        return ""


ALPACA_KEY_ID = KeyName("alpaca.key_id")
ALPACA_SECRET = KeyName("alpaca.secret")
EDGAR_CONTACT = KeyName("edgar.contact")

_SIGNS = r"[!-~]{8,512}"
_SIGNS_WORDS = "8 to 512 letters, digits and signs without a space"

KEYS: Mapping[KeyName, KeyKind] = {
    kind.name: kind
    for kind in (
        KeyKind(
            ALPACA_KEY_ID,
            "key id of the Alpaca account: quotes, bars, news and orders",
            "alpaca_key",
            r"[A-Z0-9]{16,32}",
            "16 to 32 capital letters and digits",
        ),
        KeyKind(ALPACA_SECRET, "secret that belongs to alpaca.key_id", "alpaca_secret", _SIGNS, _SIGNS_WORDS),
        KeyKind(
            EDGAR_CONTACT,
            "mail address that SEC EDGAR asks every program to name",
            "edgar_contact",
            r"[^@\s]{1,64}@[^@\s]{1,255}",
            "a mail address like me@example.com",
        ),
    )
}
"""Every key, in the order in which they are listed."""


def key_kind(name: str) -> KeyKind:
    """The key of that name. Raises UsageError naming the nearest."""
    kind = KEYS.get(KeyName(name))
    if kind is not None:
        return kind
    near = difflib.get_close_matches(name, KEYS, 1)
    known = ", ".join(KEYS)
    # What looks like no name may be the value, typed in the wrong place: it is not repeated.
    given = repr(name) if re.fullmatch(r"[a-z_.-]{1,32}", name) else "what was given"
    raise UsageError(
        f"{given} is not the name of a key",
        f"The nearest is {near[0]}; there are {known}" if near else f"There are {known}",
    )
