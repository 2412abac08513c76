"""The Auditor's look back on a week, as a document and as text; every number comes from the journal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

import msgspec

from engine.agents.panel import weight_of
from engine.agents.past import EXCHANGE
from engine.agents.policybook import PolicyBook, words_of
from engine.errors import StorageError
from engine.model.candidates import GateResult, Vote
from engine.model.checks import GateStatus
from engine.model.compliance import ComplianceCheck
from engine.model.evidence import PROPOSALS_NEEDED, SESSIONS_NEEDED, EdgeEvidence
from engine.model.ids import StrategyName, symbol_of
from engine.model.policy import ClosedTrade, Param, PolicyStep, TickerState
from engine.ports import Journal
from engine.risk.daily import start_us

Document = dict[str, Any]
Part = TypeVar("Part")


def weekly_document(
    journal: Journal,
    book: PolicyBook,
    evidence: EdgeEvidence,
    frozen: Mapping[StrategyName, str],
    first: date,
    last: date,
    step: PolicyStep | None,
) -> Document:
    """All of the week `first`..`last`, both days of the exchange. Raises StorageError."""
    begin, end = start_us(first, EXCHANGE), start_us(last + timedelta(days=1), EXCHANGE)
    ours = [trade for trade in book.trades if begin <= trade.exit_us < end]
    policy, findings = book.current(), book.findings()
    return {
        "strategy": book.strategy,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "closed": _summary([trade for trade in ours if not trade.shadow]),
        "followed": _summary([trade for trade in ours if trade.shadow and trade.proposed]),
        "vetoed": _summary([trade for trade in ours if trade.shadow and not trade.proposed]),
        "all_closed": policy.closed_trades,
        "review": {
            "findings": findings.words(),
            "direction": findings.direction.value,
            "step": None if step is None else words_of(step),
            "waiting": [words_of(found) for found in book.waiting()],
        },
        "policy": {"id": policy.policy_id, **{param.value: getattr(policy, param) for param in Param}},
        "evidence": {
            "n": evidence.n,
            "sessions": evidence.sessions,
            "mean": evidence.mean,
            "bound": evidence.bound,
            "is_shown": evidence.is_shown,
        },
        "agents": {
            agent: {"right": right, "votes": votes, "weight": weight_of(right, votes)}
            for agent, (right, votes) in policy.accuracy.items()
        },
        "tickers": {
            symbol_of(name): {
                "state": found.state.value,
                "wins": found.wins,
                "n": found.n,
                "rate": found.rate,
            }
            for name, found in sorted(policy.standings.items())
            if found.state is not TickerState.ACTIVE
        },
        "gates": pass_rates(journal, book.strategy, first, last),
        "compliance": _compliance(journal, book.strategy, begin, end),
        "frozen": frozen.get(book.strategy, ""),
    }


def pass_rates(
    journal: Journal, strategy: StrategyName, first: date, last: date
) -> dict[str, dict[str, int]]:
    """Agent or gate -> how often it let a candidate of these sessions pass, and how often it was asked."""
    asked: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    rows = [row for day in days for row in journal.rows("whynot", session=day.isoformat())]
    for correlation in (str(row["correlation"]) for row in rows if row["strategy"] == strategy):
        for ballot in _votes(journal, correlation):
            if ballot.vote is not Vote.ABSTAIN:
                asked[ballot.agent] += 1
                passed[ballot.agent] += ballot.vote is Vote.APPROVE
        for ticket in journal.rows("ticket", correlation=correlation):
            for gate in _read(ticket["body"], _Gated).gates:
                if gate.status is not GateStatus.NOT_APPLICABLE:
                    asked[f"{gate.gate} {gate.title}"] += 1
                    passed[f"{gate.gate} {gate.title}"] += gate.status is GateStatus.PASS
    return {name: {"passed": passed[name], "asked": asked[name]} for name in asked}


def weekly_text(document: Document) -> str:
    """The same for a person, plain ASCII lines of at most 100 characters but for sentences."""
    review, evidence, checked = document["review"], document["evidence"], document["compliance"]
    lines = [
        f"{document['strategy']}, {document['first']} to {document['last']}",
        "",
        f"Closed      {_summary_words(document['closed'])}",
        f"Followed    {_summary_words(document['followed'])}  (proposals on paper)",
        f"Vetoed      {_summary_words(document['vetoed'])}  (followed to score the vetoes)",
        "",
        f"Evidence    {_evidence_words(evidence)}",
        f"Review      {review['findings']}",
        f"Step        {review['step'] or 'none'}",
    ]
    lines += [f"Waiting     {words}" for words in review["waiting"] if words != review["step"]]
    thresholds = ", ".join(f"{param.value} {document['policy'][param.value]:.4g}" for param in Param)
    lines += [f"Policy      {document['policy']['id']}: {thresholds}", ""]
    lines += ["Passed by   " + _rate_words(name, rate) for name, rate in document["gates"].items()]
    lines += [
        f"Votes       {agent}: {found['right']:.2f} right of {found['votes']}, weight {found['weight']:g}"
        for agent, found in document["agents"].items()
    ]
    lines += [
        f"Ticker      {symbol} {found['state']}: {found['wins']} of {found['n']} won,"
        f" rate {found['rate']:.2f}"
        for symbol, found in document["tickers"].items()
    ]
    deviations = checked["deviations"]
    lines += ["", f"Compliance  {checked['checked']} trades checked, {len(deviations)} deviate"]
    lines += [f"            B-{found['number']}: {found['words']}" for found in deviations]
    if document["frozen"]:
        lines += ["", f"FROZEN      {document['frozen']}"]
    return "\n".join(lines) + "\n"


def _summary(trades: Sequence[ClosedTrade]) -> Document:
    """Counts, and mean net return as a fraction; None without a trade."""
    ways = Counter(trade.exit_reason.value for trade in trades)
    net = [trade.net for trade in trades]
    return {
        "n": len(trades),
        "won": sum(trade.is_won for trade in trades),
        "mean_net": sum(net) / len(net) if net else None,
        "ways_out": dict(sorted(ways.items())),
    }


def _summary_words(found: Document) -> str:
    if not found["n"]:
        return "none"
    ways = ", ".join(f"{count} {way}" for way, count in found["ways_out"].items())
    return f"{found['n']}, {found['won']} won, mean net {100 * found['mean_net']:+.2f}%: {ways}"


def _evidence_words(found: Document) -> str:
    needed = f"{PROPOSALS_NEEDED} on {SESSIONS_NEEDED} sessions with a bound above 0 are needed"
    if found["mean"] is None:
        return f"none of an edge: no proposal was followed to its end, {needed}"
    bound = "unknown" if found["bound"] is None else f"{100 * found['bound']:+.2f}%"
    word = "shows an edge" if found["is_shown"] else "shows no edge"
    return (
        f"{word}: {found['n']} proposals on {found['sessions']} sessions, mean net"
        f" {100 * found['mean']:+.2f}%, 95% bound {bound}; {needed}"
    )


def _rate_words(name: str, rate: Mapping[str, int]) -> str:
    return f"{name}: {rate['passed']} of {rate['asked']}"


def _compliance(journal: Journal, strategy: StrategyName, begin: int, end: int) -> Document:
    rows = [
        row for row in journal.rows("compliance", strategy=strategy) if begin <= int(row["ts_us"] or 0) < end
    ]
    deviations = []
    for row in rows:
        if not row["ok"]:
            checks = msgspec.json.decode(str(row["checks"]), type=tuple[ComplianceCheck, ...])
            wrong = [c for c in checks if not c.ok]
            words = "; ".join(f"{c.name} {c.done}, demanded {c.demanded}" for c in wrong)
            number = next((t["number"] for t in journal.rows("ticket", id=str(row["ticket"]))), 0)
            deviations.append({"ticket": row["ticket"], "number": number, "words": words})
    return {"checked": len(rows), "deviations": deviations}


@dataclass(frozen=True, slots=True)
class _Ballot:
    """Of a vote what is counted."""

    agent: str
    vote: Vote


@dataclass(frozen=True, slots=True)
class _Judged:
    """Of what was judged."""

    reports: tuple[_Ballot, ...]


@dataclass(frozen=True, slots=True)
class _Gated:
    """Of a ticket."""

    gates: tuple[GateResult, ...]


def _votes(journal: Journal, correlation: str) -> tuple[_Ballot, ...]:
    for line in journal.audit(correlation):
        if line["kind"] == "candidate":
            return _read(line["body"], _Judged).reports
    return ()


def _read(body: object, kind: type[Part]) -> Part:
    try:
        return msgspec.json.decode(str(body), type=kind)
    except msgspec.MsgspecError as error:
        raise StorageError(
            f"a stored decision cannot be read: {error}", "run tradedeck audit verify"
        ) from error
