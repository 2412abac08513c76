"""The policy of a strategy as documents and lines, from the journal alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.agents.past import followed_trades, real_trades
from engine.agents.policyrows import Baseline, policy_after, read_changes
from engine.clock import clock_text
from engine.errors import DataError
from engine.model.ids import StrategyName, symbol_of
from engine.model.policy import GapsPolicy, Param, PolicyStep, StepState, TickerState
from engine.model.tickets import to_plain
from engine.ports import Journal, Sessions
from engine.strategies.adapting import BOUNDS, VoteScores, findings_of, remembered
from tui import format

Document = dict[str, Any]


def policy_document(journal: Journal, strategy: StrategyName, calendar: Sessions) -> Document:
    """What holds now, where it came from, and what waits. Raises DataError where no rules were kept yet."""
    changes = read_changes(journal, strategy)
    thresholds = policy_after(changes)
    baselines = [change for change in changes if isinstance(change, Baseline)]
    if thresholds is None:
        raise DataError(
            f"no policy of {strategy} was kept yet", "Start the engine once on this state to write its rules"
        )
    trades = [t for t in (*real_trades(journal), *followed_trades(journal)) if t.strategy == strategy]
    accuracy, findings = VoteScores(trades).accuracy(), findings_of(trades)
    policy = remembered(thresholds, trades, accuracy, calendar)
    config = baselines[-1].rules.gaps
    return {
        "strategy": strategy,
        "policy": policy.policy_id,
        "thresholds": {
            param.value: {
                "now": getattr(policy, param),
                "configured": getattr(config, param),
                "bounds": list(BOUNDS[param]) if param in BOUNDS else None,
            }
            for param in Param
        },
        "closed_trades": policy.closed_trades,
        "review": {"findings": findings.words(), "direction": findings.direction.value},
        "auto_adapt": config.auto_adapt and baselines[-1].rules.kind.value != "live",
        "waiting": [step_document(step) for step in _steps(changes) if step.state is StepState.WAITING],
        "steps": len([step for step in _steps(changes) if step.state is StepState.APPLIED]),
        "agents": {
            agent: {"right": right, "votes": votes} for agent, (right, votes) in policy.accuracy.items()
        },
        "tickers": _tickers(policy),
        "frozen": _frozen(journal, strategy),
    }


def history_document(journal: Journal, strategy: StrategyName) -> list[Document]:
    """Every configuration and step, oldest first."""
    found: list[Document] = []
    for change in read_changes(journal, strategy):
        if isinstance(change, Baseline):
            found.append(
                {
                    "id": change.id,
                    "step": None,
                    "ts_us": change.ts,
                    "state": "configuration",
                    "author": "user",
                    "parent": change.parent_id or None,
                    "moves": [],
                    "reason": "configuration",
                    "trades": [],
                }
            )
        else:
            found.append(step_document(change))
    return found


def step_document(step: PolicyStep) -> Document:
    """One step with the trades behind it."""
    return {
        "id": step.id,
        "step": f"P-{step.number}",
        "ts_us": step.ts,
        "state": step.state.value,
        "author": step.author.value,
        "parent": step.parent_id,
        "moves": to_plain(step.moves),
        "reason": step.reason,
        "trades": list(step.trades),
        "reverts": step.reverts or None,
        "decided_by": step.decided_by or None,
        "decided_us": step.decided_us,
    }


def policy_lines(document: Document) -> Iterator[str]:
    """The same for a person."""
    yield f"{document['strategy']}: policy {document['policy']}, {document['steps']} steps applied"
    for name, found in document["thresholds"].items():
        was = "" if found["now"] == found["configured"] else f", configured {found['configured']:.4g}"
        low, high = found["bounds"] or (None, None)
        bounds = "" if low is None else f", moves in {low:g} to {high:g}"
        yield f"  {name:<16} {found['now']:.4g}{was}{bounds}"
    yield f"Review: {document['review']['findings']}"
    for step in document["waiting"]:
        yield f"{step_line(step)}"
        yield f"  To apply it: tradedeck policy accept {step['step']}"
    applies = "apply by themselves on this account" if document["auto_adapt"] else "wait for you"
    yield f"Steps {applies}."
    for symbol, found in document["tickers"].items():
        until = f" until {found['until']}" if found["until"] else ""
        won = f"{found['wins']} of {found['n']} won, rate {found['rate']:.2f}"
        yield f"{symbol} {found['state']}{until}: {won}"
    if document["frozen"]:
        yield f"FROZEN: {document['frozen']}"
        yield f"  To release it: tradedeck policy release {document['strategy']}"


def step_line(step: Mapping[str, Any]) -> str:
    """`2016-02-05 21:00:00Z P-3 applied: q_min 0.62 -> 0.63 (11 of 24 at target ...)`."""
    moves = ", ".join(f"{move['param']} {move['old']:.4g} -> {move['new']:.4g}" for move in step["moves"])
    by = f" by {step['decided_by']}" if step.get("decided_by") not in (None, "engine") else ""
    name = step["step"] or step["id"]
    told = f": {moves}" if moves else ""
    when = f"{format.date_utc(step['ts_us'])} {clock_text(step['ts_us'])}"
    return f"{when} {name} {step['state']}{by}{told} ({step['reason']})"


def _steps(changes: Sequence[Baseline | PolicyStep]) -> list[PolicyStep]:
    return [change for change in changes if isinstance(change, PolicyStep)]


def _tickers(policy: GapsPolicy) -> Document:
    return {
        symbol_of(name): {
            "state": found.state.value,
            "wins": found.wins,
            "n": found.n,
            "rate": found.rate,
            "until": None if found.until is None else found.until.isoformat(),
        }
        for name, found in sorted(policy.standings.items())
        if found.state is not TickerState.ACTIVE
    }


def _frozen(journal: Journal, strategy: StrategyName) -> str:
    return next((str(row["why"]) for row in journal.rows("freeze", strategy=strategy) if row["why"]), "")
