"""Texts that carry their own signature in the last line; it covers every byte before that line.

Of JSON the last line is a member of the document, of Markdown and HTML a comment: both stay what they are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.errors import InvariantBroken
from storage.signing import PublicKey, Purpose, SigningKey, key_named

_VALUE = rb"(?P<signature>ed25519:[0-9a-f]{16}:[0-9a-f]{128})"
_TAILS = (
    re.compile(rb'^ "signature": "' + _VALUE + rb'"\n\}\n\Z', re.MULTILINE),
    re.compile(rb"^<!-- signature " + _VALUE + rb" -->\n\Z", re.MULTILINE),
)
_JSON_END = "\n}\n"


class Form(StrEnum):
    """How the signature stands in the text."""

    JSON = "json"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class SealVerdict:
    """What a signed text proves. `problem` says in words what is wrong, "" when nothing is.

    `body`: the bytes that the signature covers; all of them where there is none. `key`: the id of the key
    that the signature says it is of; "" without a signature.
    """

    body: bytes
    key: str
    problem: str

    @property
    def ok(self) -> bool:
        """It was made with one of the keys at hand, and no byte of it was changed."""
        return not self.problem


def body_of(text: str, form: Form) -> bytes:
    """The bytes of a text that its signature will cover.

    JSON must be an object of one level's indent 1 that ends with a line of its own. Raises InvariantBroken.
    """
    if form is Form.COMMENT:
        return (text if text.endswith("\n") else f"{text}\n").encode()
    if not text.endswith(_JSON_END):
        raise InvariantBroken("a JSON text that is to be signed ends with } on a line of its own")
    return f"{text.removesuffix(_JSON_END)},\n".encode()


def seal(text: str, form: Form, key: SigningKey) -> bytes:
    """The text with its signature."""
    body = body_of(text, form)
    signature = key.sign(Purpose.REPORT, body).encode()
    if form is Form.COMMENT:
        return body + b"<!-- signature " + signature + b" -->\n"
    return body + b' "signature": "' + signature + b'"\n}\n'


def check_seal(content: bytes, keys: Sequence[PublicKey]) -> SealVerdict:
    """Whether one of `keys` signed exactly this content."""
    tail = next((found for pattern in _TAILS if (found := pattern.search(content))), None)
    if tail is None:
        return SealVerdict(content, "", "it carries no signature")
    body, signature = content[: tail.start()], tail["signature"].decode()
    name = key_named(signature) or ""
    key = next((key for key in keys if key.made(signature)), None)
    if key is None:
        known = ", ".join(key.id for key in keys) or "none"
        return SealVerdict(body, name, f"it was signed with key {name}, which is not at hand ({known})")
    if not key.fits(signature, Purpose.REPORT, body):
        return SealVerdict(body, name, "it was changed: its signature does not fit")
    return SealVerdict(body, name, "")
