"""Takes secrets out of whatever is written for a person or a log; one filter for the whole process."""

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable, Mapping, MutableMapping
from types import TracebackType
from typing import Any
from urllib.parse import quote

from engine.model.secrets import HIDDEN, Secret
from engine.model.text import harmless

FIRST = ("time", "level", "event", "correlation")

_SECRET_NAME = re.compile(
    r"(?i)(^|[_-])(secret|password|passwd|passphrase|token|credential|authorization|cookie|(api|access|private|secret)[_-]?key)s?$"
)
_SECRET_TEXT = re.compile(
    r"""(?ix)
    (?P<keep> \b (?: (?: authorization | signature | passphrase | passwd | password | credential | token
                      | secret | (?:api|access|secret|private) [_-]? (?:key|token|secret) ) s?
                      ["']? \s* [:=] \s* ["']? (?: (?:bearer|basic) \s+ )?
                | bearer \s+ ) )
    [A-Za-z0-9+/=_.~-]{8,}"""
)
_KEY_SHAPES = re.compile(
    r"\b(?:[AP]K[A-Z0-9]{16,24}"  # Alpaca key ids, AWS key ids
    r"|\d{8,10}:[A-Za-z0-9_-]{35}"  # Telegram bot tokens
    r"|xox[abprs]-[A-Za-z0-9-]{10,}"  # Slack tokens
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})\b"  # JSON web tokens
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"
)
_URL_PASSWORD = re.compile(r"(?P<keep>://[^:@/\s]*:)[^@/\s]+(?=@)")

EventDict = MutableMapping[str, Any]


class Redactor:
    """Takes secrets out of a value: known ones wherever they stand, others by name and by shape."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._exact: re.Pattern[str] | None = None
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """From now on these are taken out too, also as a URL and as JSON write them."""
        for secret in filter(None, secrets):
            self._known |= {secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1]}
        longest_first = sorted(self._known, key=len, reverse=True)
        self._exact = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """`text` with `***` in place of every secret, and no character that a terminal would obey."""
        if self._exact is not None:
            text = self._exact.sub(HIDDEN, text)
        text = _KEY_SHAPES.sub(HIDDEN, text)
        text = _URL_PASSWORD.sub(rf"\g<keep>{HIDDEN}", text)
        return harmless(_SECRET_TEXT.sub(rf"\g<keep>{HIDDEN}", text))

    def value(self, value: object) -> object:
        """The same for everything that a line may hold; what is no plain value becomes its text."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): HIDDEN if _SECRET_NAME.search(str(key)) else self.value(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        return self.text(str(value))

    def __call__(self, logger: object, method: str, event_dict: EventDict) -> EventDict:
        """As the last processor before a line is written; what a reader looks for first stands first."""
        ordered = {key: event_dict[key] for key in FIRST if key in event_dict} | dict(event_dict)
        return {
            key: HIDDEN if _SECRET_NAME.search(key) else self.value(item) for key, item in ordered.items()
        }


PROCESS = Redactor()
"""Knows every secret that this process read."""


class HidingFormatter(logging.Formatter):
    """What another formatter writes, tracebacks too, with the secrets of the process taken out."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """The whole text of a record."""
        return lines_without_secrets(self._inner.format(record))


def hide(secret: Secret) -> None:
    """From now on nobody's line shows it."""
    PROCESS.learn(secret.reveal())
    guard_handlers()


def lines_without_secrets(text: str) -> str:
    """A text of several lines, such as a traceback."""
    return "\n".join(map(PROCESS.text, text.split("\n")))


def guard_handlers() -> None:
    """Put the filter before every handler of the root logger, and before what Python uses without one.

    A handler that redacts by itself, such as that of `tui.logs`, is left alone.
    """
    last = () if logging.lastResort is None else (logging.lastResort,)
    for handler in (*logging.getLogger().handlers, *last):
        processors = getattr(handler.formatter, "processors", ())
        if not isinstance(handler.formatter, HidingFormatter) and PROCESS not in processors:
            handler.setFormatter(HidingFormatter(handler.formatter))


def guard_crashes() -> None:
    """Put the filter before what Python writes of an error that nobody caught, but over nobody's own hook."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _crashed
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = lambda told: _told(
            f"in thread {getattr(told.thread, 'name', '?')}", told.exc_value
        )
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = lambda told: _told(told.err_msg or "where it cannot be raised", told.exc_value)


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _told("nobody caught", error.with_traceback(trace))


def _told(where: str, error: BaseException | None) -> None:
    import traceback  # only when something failed

    text = "".join(traceback.format_exception(error)) if error is not None else ""
    sys.stderr.write(lines_without_secrets(f"{where}: {text}"))
