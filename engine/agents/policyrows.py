"""How the policy of a strategy came about, as rows of the journal: baselines of the person, steps on them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from engine.errors import StorageError
from engine.model.ids import CorrelationId, StrategyName
from engine.model.policy import Author, GapsPolicy, Param, ParamMove, PolicyStep, StepState
from engine.model.positions import AccountKind
from engine.model.tickets import canonical_json
from engine.ports import Journal, JournalRow
from engine.risk.limits import LimitSwitches
from engine.strategies.adapting import default_policy, moved
from engine.strategies.gaps_config import GapsConfig

TABLE = "policy"
BASELINE = "baseline"
"""State of a row that holds a configuration; the others are words of `StepState`."""
_BROKEN = "restore the journal from a backup"
Row = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a person laid down: what a trade is held against besides what memory moved."""

    gaps: GapsConfig
    kind: AccountKind
    switches: LimitSwitches
    max_position_pct: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """From `ts` on these rules held. Thresholds that the person left alone keep the steps made before."""

    id: str
    strategy: StrategyName
    ts: int
    parent_id: str
    rules: Rules


Change = Baseline | PolicyStep


def changed_us(change: Change) -> int:
    """When it began to hold; of a step that was never applied, when it was proposed."""
    if isinstance(change, Baseline) or change.decided_us is None:
        return change.ts
    return change.decided_us


def policy_after(changes: Iterable[Change]) -> GapsPolicy | None:
    """The thresholds that follow from changes in their order; None before the first baseline."""
    policy: GapsPolicy | None = None
    config: GapsConfig | None = None
    for change in changes:
        if isinstance(change, Baseline):
            policy = _rebased(policy, config, change)
            config = change.rules.gaps
        elif policy is not None and change.state is StepState.APPLIED:
            policy = moved(policy, change.moves, change.id)
    return policy


def _rebased(policy: GapsPolicy | None, before: GapsConfig | None, baseline: Baseline) -> GapsPolicy:
    """What a person changed is theirs from now on; what they left alone stays where the steps brought it."""
    config = baseline.rules.gaps
    if policy is None or before is None:
        return default_policy(config, baseline.id)
    own = [
        ParamMove(param, getattr(policy, param), getattr(config, param))
        for param in Param
        if getattr(before, param) != getattr(config, param)
    ]
    return moved(policy, own, baseline.id)


def read_changes(journal: Journal, strategy: StrategyName) -> tuple[Change, ...]:
    """All of a strategy's, in the order in which they began to hold. Raises StorageError."""
    found = [_change(row) for row in journal.rows(TABLE, strategy=strategy)]
    return tuple(sorted(found, key=_order))


def applied_steps(journal: Journal) -> tuple[PolicyStep, ...]:
    """Every step of any strategy that holds or held. Raises StorageError."""
    found = (_change(row) for row in journal.rows(TABLE, state=StepState.APPLIED.value))
    return tuple(change for change in found if isinstance(change, PolicyStep))


def _order(change: Change) -> tuple[int, int]:
    """At one instant a configuration comes before the steps on it."""
    return changed_us(change), 0 if isinstance(change, Baseline) else change.number


def baseline_row(baseline: Baseline) -> JournalRow:
    """One configuration."""
    return JournalRow(
        TABLE,
        {
            "id": baseline.id,
            "number": 0,
            "strategy": baseline.strategy,
            "ts_us": baseline.ts,
            "parent": baseline.parent_id,
            "moves": "[]",
            "config": canonical_json(baseline.rules).decode(),
            "reason": "configuration",
            "evidence": "[]",
            "author": Author.USER.value,
            "reverts": "",
            "state": BASELINE,
        },
    )


def step_row(step: PolicyStep) -> JournalRow:
    """One step as it stands."""
    return JournalRow(
        TABLE,
        {
            "id": step.id,
            "number": step.number,
            "strategy": step.strategy,
            "ts_us": step.ts,
            "parent": step.parent_id,
            "moves": canonical_json(step.moves).decode(),
            "reason": step.reason,
            "evidence": canonical_json(step.trades).decode(),
            "author": step.author.value,
            "reverts": step.reverts,
            "state": step.state.value,
            "decided_by": step.decided_by,
            "decided_us": step.decided_us,
        },
    )


def _change(row: Row) -> Change:
    strategy, ts = StrategyName(str(row["strategy"])), int(row["ts_us"] or 0)
    try:
        if row["state"] == BASELINE:
            rules = msgspec.json.decode(str(row["config"]), type=Rules)
            return Baseline(str(row["id"]), strategy, ts, str(row["parent"] or ""), rules)
        decided = row["decided_us"]
        return PolicyStep(
            id=str(row["id"]),
            number=int(row["number"] or 0),
            strategy=strategy,
            ts=ts,
            parent_id=str(row["parent"] or ""),
            moves=msgspec.json.decode(str(row["moves"]), type=tuple[ParamMove, ...]),
            reason=str(row["reason"] or ""),
            trades=tuple(
                CorrelationId(name) for name in msgspec.json.decode(str(row["evidence"]), type=list[str])
            ),
            author=Author(str(row["author"])),
            reverts=str(row["reverts"] or ""),
            state=StepState(str(row["state"])),
            decided_by=str(row["decided_by"] or ""),
            decided_us=None if decided is None else int(decided),
        )
    except (msgspec.MsgspecError, ValueError) as error:
        raise StorageError(f"the policy {row['id']} makes no sense: {error}", _BROKEN) from error
