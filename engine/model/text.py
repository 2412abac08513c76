"""Text that came from outside, made safe: one rule at ingest and where it is drawn (RELIABILITY 9)."""

import re
import unicodedata

MAX_LENGTH = 200
MAX_MARKS = 2

_SEQUENCES = re.compile(
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]).*?(?:\x07|\x1b\\|\x9c|\Z)"  # OSC, DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    r"|\x1b[ -/]*[0-~]?",  # two-character and charset sequences
    re.DOTALL,
)
_BREAKS = str.maketrans(dict.fromkeys("\t\n\v\f\r\x85\u2028\u2029", " "))
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co"})
_MARKS = frozenset({"Mn", "Me", "Mc"})


def clean(text: str) -> str:
    """`text` without terminal sequences, control, format, surrogate and private characters.

    Line breaks and tabs become spaces; a character keeps at most two combining marks; 200 characters at most.
    """
    if text.isascii() and text.isprintable():
        return text[:MAX_LENGTH]
    kept: list[str] = []
    marks = 0
    for char in _SEQUENCES.sub("", text).translate(_BREAKS):
        category = unicodedata.category(char)
        if category in _DROPPED:
            continue
        marks = marks + 1 if category in _MARKS else 0
        if marks <= MAX_MARKS:
            kept.append(char)
        if len(kept) == MAX_LENGTH:
            break
    return "".join(kept)


def visible(text: str) -> str:
    r"""`text` in full, with every character that `clean` would touch written as its \u escape.

    For texts that must be shown exactly as they are, such as the order a person approves.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() and char.isascii() else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
