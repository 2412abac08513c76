"""What is stored of one decision, from the candidate to the closed trade: read from a journal alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.errors import StorageError, UsageError
from engine.execution.bracket import Bracket
from engine.execution.records import restore_brackets, restore_round_trip
from engine.execution.ticketbook import read_ticket
from engine.model.candidates import AgentReport, GapCandidate
from engine.model.ids import CorrelationId
from engine.model.positions import RoundTrip
from engine.model.tickets import Ticket
from engine.ports import Journal
from engine.strategies.gaps_config import GapsConfig

REPORT_KIND = "report"
"""Kind of the audit line that keeps a report's hash; a report does not tell of itself."""
RULES_KIND = "rules"
"""Kind of the audit line that keeps the strategies' config, written at a start with another one."""
Row = Mapping[str, str | int | None]
_CHECK = "Run tradedeck audit verify"


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the audit log as it is stored."""

    seq: int
    ts: int
    actor: str
    kind: str
    hash: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TicketFact:
    """A ticket as it is stored: `body` is the text that was hashed."""

    ticket: Ticket
    body: str
    sha256: str
    state: str
    reason: str
    approved_by: str
    approved_us: int | None
    approved_price: str
    nonce: str
    """Of its approval; "" where it was not used."""
    replaces: str


@dataclass(frozen=True, slots=True)
class ConfigFact:
    """The config that the engine ran with when it judged."""

    sha256: str
    """Of all of it; "" where the log does not tell it."""
    gaps: GapsConfig | None
    """The strategy's part; None where the log does not keep it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that follows from one candidate."""

    correlation: CorrelationId
    account: str
    kind: str
    candidate: GapCandidate | None
    reports: tuple[AgentReport, ...]
    ended_because: str
    """Of a candidate without a proposal; ""."""
    tickets: tuple[TicketFact, ...]
    """By number; those that were gated out have none and come first."""
    whynot: Row | None
    bracket: Bracket | None
    round_trip: RoundTrip | None
    lines: tuple[AuditLine, ...]
    config: ConfigFact

    @property
    def ticket(self) -> TicketFact | None:
        """The ticket that was sent, else the last one."""
        sent = [fact for fact in self.tickets if fact.approved_us is not None]
        return (sent or self.tickets or (None,))[-1]


MIN_START = 4
"""Characters of a ticket's id that may stand for the whole."""


def find_correlation(journal: Journal, name: str) -> CorrelationId | None:
    """The candidate behind a name; None when nothing carries it. Raises UsageError for one of several.

    A name is a ticket (`T-18`, `td-` and the start of its id, the id), a bracket or its round trip (`B-18`),
    an order's id, or the candidate's own.
    """
    text = name.strip()
    number = text.removeprefix("T-").removeprefix("B-")
    start = text.removeprefix("td-").upper() if text.startswith("td-") else ""
    found = {}
    for row in journal.rows("ticket"):
        ticket = str(row["id"])
        is_numbered = number.isdigit() and str(row["number"]) == number != "0"
        if ticket == text or is_numbered or (len(start) >= MIN_START and ticket.startswith(start)):
            found[CorrelationId(str(row["correlation"]))] = f"T-{row['number']}"
    if len(found) > 1:
        raise UsageError(f"{len(found)} tickets are named {name}", f"Name one: {', '.join(found.values())}")
    for correlation in found:
        return correlation
    for table, key in (("whynot", "correlation"), ("ord", "cid")):
        for row in journal.rows(table, **{key: text}):
            return CorrelationId(str(row["correlation"]))
    return None


def read_facts(journal: Journal, correlation: CorrelationId) -> Facts:
    """Everything stored of a candidate. Raises StorageError for a row that makes no sense."""
    lines = tuple(_line(row) for row in journal.audit(correlation) if row["kind"] != REPORT_KIND)
    judged = next((line for line in lines if line.kind == "candidate"), None)
    nonces = {str(row["ticket"]): str(row["nonce"]) for row in journal.rows("nonce", correlation=correlation)}
    tickets = [_ticket(row, nonces) for row in journal.rows("ticket", correlation=correlation)]
    brackets = restore_brackets(
        journal.rows("bracket", correlation=correlation),
        journal.rows("ord", correlation=correlation),
        journal.rows("fill", correlation=correlation),
    )
    trips = journal.rows("round_trip", correlation=correlation)
    whynot = journal.rows("whynot", correlation=correlation)
    return Facts(
        correlation=correlation,
        account=journal.meta("account_id") or "",
        kind=journal.meta("kind") or "",
        candidate=None if judged is None else _made(judged.body["candidate"], GapCandidate),
        reports=() if judged is None else _made(judged.body["reports"], tuple[AgentReport, ...]),
        ended_because="" if judged is None else str(judged.body.get("reason", "")),
        tickets=tuple(sorted(tickets, key=lambda fact: fact.ticket.number)),
        whynot=whynot[0] if whynot else None,
        bracket=brackets[0] if brackets else None,
        round_trip=restore_round_trip(trips[0]) if trips else None,
        lines=lines,
        config=_config(journal, judged),
    )


def _line(row: Mapping[str, str | int]) -> AuditLine:
    try:
        body = msgspec.json.decode(str(row["body"]), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise StorageError(f"audit row {row['seq']} cannot be read: {error}", _CHECK) from error
    return AuditLine(
        int(row["seq"]), int(row["ts_us"]), str(row["actor"]), str(row["kind"]), str(row["h"]), body
    )


def _ticket(row: Row, nonces: Mapping[str, str]) -> TicketFact:
    approved = row["approved_us"]
    return TicketFact(
        ticket=read_ticket(str(row["body"])),
        body=str(row["body"]),
        sha256=str(row["sha256"]),
        state=str(row["state"]),
        reason=str(row["reason"] or ""),
        approved_by=str(row["approved_by"] or ""),
        approved_us=approved if isinstance(approved, int) else None,
        approved_price=str(row["approved_px"] or ""),
        nonce=nonces.get(str(row["id"]), ""),
        replaces=str(row["replaces"] or ""),
    )


def _config(journal: Journal, judged: AuditLine | None) -> ConfigFact:
    """Of the last start before the candidate was judged."""
    before = [row for row in journal.audit("") if judged is None or int(row["seq"]) < judged.seq]
    started, rules = (
        next((_line(row).body for row in reversed(before) if row["kind"] == kind), {})
        for kind in ("started", RULES_KIND)
    )
    gaps = rules.get("gaps")
    return ConfigFact(str(started.get("config", "")), None if gaps is None else _made(gaps, GapsConfig))


def _made(plain: object, kind: Any) -> Any:
    try:
        return msgspec.convert(plain, kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise StorageError(f"a stored decision cannot be read: {error}", _CHECK) from error
