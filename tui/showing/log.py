"""A page of the audit log, newest line first, each with a sentence for a person and its exact bytes."""

from collections.abc import Mapping

from engine.core import Engine
from engine.model.ids import TicketId, symbol_of
from tui.showing.sentences import parsed, told
from tui.shown.details import LogDetail, LogRecord

PAGE = 100
_DIGITS = 18
"""Of a line's number: SQLite counts no further."""
_NAMED = frozenset({"candidate", "Fill", "Restatement", "corporate_action"})
"""Kinds whose sentence names the symbol itself."""


def log_page(engine: Engine, before: str) -> LogDetail | None:
    """The newest lines, or those with lower numbers than `before`; None for a text that is no number."""
    if before and not (before.isdecimal() and len(before) <= _DIGITS):
        return None
    found = engine.parts.journal.audit_page(int(before) if before else None, PAGE + 1)
    return LogDetail(tuple(_record(engine, line) for line in found[:PAGE]), len(found) > PAGE)


def _record(engine: Engine, line: Mapping[str, str | int]) -> LogRecord:
    kind, body = str(line["kind"]), str(line["body"])
    held = parsed(body)
    words = told(kind, held, body)
    name = "" if kind in _NAMED else _name(engine, held)
    words = _once(name, words)
    return LogRecord(
        seq=int(line["seq"]),
        ts=int(line["ts_us"]),
        actor=str(line["actor"]),
        kind=kind,
        text=f"{name} {words}" if name else words,
        correlation=str(line["correlation"]),
        hash=str(line["h"]),
        body=body,
    )


def _once(name: str, words: str) -> str:
    """An answer to a person names its ticket itself, and begins like a sentence."""
    number = name.partition(" ")[0]
    if not number.startswith("T-"):
        return words
    words = words.removeprefix(f"{number} ")
    return words[:1].lower() + words[1:] if words[1:2].islower() else words


def _name(engine: Engine, held: object) -> str:
    """`T-18 ORVX` of a line about a ticket or its bracket; "" for others."""
    ticket = held.get("ticket") if isinstance(held, dict) else None
    entry = engine.tickets.get(TicketId(ticket)) if isinstance(ticket, str) else None
    if entry is None:
        return ""
    symbol, number = symbol_of(entry.ticket.instrument), entry.ticket.number
    return f"T-{number} {symbol}" if number else symbol
