"""Log lines: one JSON object a line, on stdout or in files of our own, with secrets taken out of every one.

The standard library's logging carries the lines, so what a library says takes the same way as what we say.
"""

import logging
import os
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

import structlog

from tui.redaction import PROCESS, guard_handlers

FILE = "tradedeck.log"
FILE_BYTES = 10_000_000
FILES = 10
QUIET_LIBRARIES = ("httpx", "httpcore", "websockets", "asyncio", "alembic", "sqlalchemy", "urllib3")
"""Libraries whose INFO lines tell nobody anything; some of them hold whole URLs."""


class TellsOnce(logging.Handler):
    """A log that cannot be written must not end the engine: it is said once on stderr, in one line."""

    _is_told = False

    def handleError(self, record: logging.LogRecord) -> None:
        """Instead of a traceback for every line that is lost."""
        error = sys.exc_info()[1]
        if isinstance(self, logging.StreamHandler) and isinstance(error, BrokenPipeError):
            # Nobody reads: what is still buffered must not fail once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())
        if not self._is_told:
            self._is_told = True
            what = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            sys.stderr.write(f"tradedeck: log lines are lost: {what}. The engine runs on\n")


class Stream(TellsOnce, logging.StreamHandler[TextIO]):
    """One line after the other on a stream."""


class PrivateFiles(TellsOnce, RotatingFileHandler):
    """Ten files of 10 MB, the oldest goes; only their owner can read them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(folder / FILE, maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8")

    def _open(self) -> Any:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, self.mode, encoding=self.encoding, errors=self.errors)


def start(
    folder: Path | None, secrets: Iterable[str] = (), stream: TextIO | None = None, level: int = logging.INFO
) -> None:
    """Send all log lines to files in `folder`, or to `stream` (stdout) when it is None.

    A second call replaces what the first one set up. Raises OSError when the folder cannot be written.
    """
    handler: logging.Handler = PrivateFiles(folder) if folder else Stream(stream or sys.stdout)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                PROCESS,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    PROCESS.learn(*secrets)
    stop()
    guard_handlers()
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[
            *shared[:3],
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared[4:],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def stop() -> None:
    """Close what `start` opened."""
    root = logging.getLogger()
    for handler in tuple(root.handlers):
        if _is_ours(handler):
            root.removeHandler(handler)
            handler.close()
    logging.captureWarnings(False)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that takes fields by keyword."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound


def correlated(correlation: str) -> AbstractContextManager[None]:
    """Put the id of a candidate on every line that is logged inside the block, by whatever module."""
    return structlog.contextvars.bound_contextvars(correlation=correlation)


def is_started() -> bool:
    """Whether lines go anywhere yet."""
    return any(_is_ours(handler) for handler in logging.getLogger().handlers)


def _is_ours(handler: logging.Handler) -> bool:
    return isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
