"""Text that came from outside, made safe: one rule at ingest and where it is drawn (RELIABILITY 9)."""

import re
import unicodedata

MAX_LENGTH = 200
MAX_MARKS = 2

_SEQUENCES = re.compile(
    # OSC, DCS, SOS, PM, APC: with an end. Without one only what begins it goes, the words after it stay.
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x1b\x90\x98\x9d\x9e\x9f]*?(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    r"|\x1b[ -/]*[0-~]?",  # two-character and charset sequences
    re.DOTALL,
)
_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_INTRODUCERS = str.maketrans(dict.fromkeys("\x1b\x90\x98\x9b\x9d\x9e\x9f", " "))
_BREAKS = str.maketrans(dict.fromkeys("\t\n\v\f\r\x85\u2028\u2029", " "))
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co"})
_OBEYED = _DROPPED | {"Zl", "Zp"}
_MARKS = frozenset({"Mn", "Me", "Mc"})


def clean(text: str, limit: int = MAX_LENGTH) -> str:
    """`text` without terminal sequences, control, format, surrogate and private characters.

    Line breaks and tabs become spaces; a character keeps at most two combining marks; at most `limit`
    characters are kept.
    """
    if text.isascii() and text.isprintable():
        return text[:limit]
    kept: list[str] = []
    marks = 0
    for char in _SEQUENCES.sub("", text).translate(_BREAKS):
        category = unicodedata.category(char)
        if category in _DROPPED:
            continue
        marks = marks + 1 if category in _MARKS else 0
        if marks <= MAX_MARKS:
            kept.append(char)
        if len(kept) == limit:
            break
    return "".join(kept)


def legible(text: str, limit: int = MAX_LENGTH) -> str:
    """`clean`, but what follows the start of a terminal sequence stays; colors alone go without a trace.

    For words that are judged: a quotation mark that was decoded wrongly (U+009D) begins a sequence too, and
    the bad news after it must not vanish.
    """
    return clean(_COLORS.sub("", text).translate(_INTRODUCERS), limit)


def visible(text: str) -> str:
    r"""`text` in full, with every character that `clean` would touch written as its \u escape.

    For texts that must be shown exactly as they are, such as the order a person approves.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() and char.isascii() else _escape(char) for char in text)


def harmless(text: str) -> str:
    r"""`text` in full, with control, format, surrogate and private characters written as \u escapes.

    For logs: nothing is lost, letters of any language stay, so do tabs and plain line breaks.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if _is_obeyed(char) else char for char in text)


def _is_obeyed(char: str) -> bool:
    return unicodedata.category(char) in _OBEYED and char not in "\n\t"


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
