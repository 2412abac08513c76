"""Whoever looks back on a run: shadow book, excursions of positions, Auditor and Historian."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.agents.auditor import AuditDesk, Auditor
from engine.agents.freezing import Freezes
from engine.agents.historian import HEARD, Historian
from engine.agents.policybook import PolicyBook, PolicyDesk
from engine.agents.policyrows import Rules
from engine.bus import Bus
from engine.core import Engine
from engine.execution.excursions import Excursions
from engine.execution.matching import MatchRules, SlippageModel
from engine.execution.shadowbook import ShadowBook, ShadowDesk
from engine.model.events import CandidatesJudged, MarketMoved, RoundTripClosed, ShadowEnded
from engine.model.ids import StrategyName, TicketId
from engine.model.market import Instrument
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow, Memory
from engine.strategies.evidence import other_gates
from engine.strategies.gaps import Gaps
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.shadowing import ShadowPlanner
from storage.artifacts import write_artifact
from storage.past_proposals import kept_proposals
from storage.paths import StatePaths, make_private

EVIDENCE_KEY = "evidence_kept"
"""Of `meta`: which report of a walk-forward was counted last."""


@dataclass(frozen=True, slots=True)
class Backward:
    """What looks back, for the faces and for jobs."""

    shadow: ShadowBook
    auditor: Auditor


def look_back(
    engine: Engine, bus: Bus, rules: MatchRules, gaps: GapsConfig | None, memory: Memory, state: StatePaths
) -> Backward | None:
    """Join all of it to an engine that has not started. Raises StorageError.

    In the order in which they must hear: how far prices went before how a trade ended is remembered. `gaps`
    None: the run is remembered, and nothing is learned from it.
    """
    parts = engine.parts
    journal = parts.journal
    excursions = Excursions(journal, engine.brackets, rules.resting)
    bus.subscribe_call(MarketMoved, excursions.hear, excursions.name)
    bus.subscribe_call(RoundTripClosed, excursions.hear, f"{excursions.name} of trades")
    backward = None if gaps is None else _learn(engine, bus, rules, gaps, state)
    policy_of = _policy_of(None if backward is None else backward.auditor)
    historian = Historian(memory, journal, policy_of)
    historian.catch_up()
    bus.subscribe_call(HEARD, _steered(engine, historian.name, historian.hear), historian.name)
    return backward


def _steered(engine: Engine, name: str, hear: Callable[[Any], None]) -> Callable[[Any], None]:
    """Not told while a person paused it, or after it failed three times in a row."""
    agents = engine.parts.agents
    return hear if agents is None else agents.roster.listening(name, hear)


def _learn(engine: Engine, bus: Bus, rules: MatchRules, gaps: GapsConfig, state: StatePaths) -> Backward:
    shadow = _shadow_book(engine, rules, gaps)
    shadow.restore()
    bus.subscribe_call(MarketMoved, shadow.hear, shadow.name)
    bus.subscribe_call(CandidatesJudged, shadow.hear, f"{shadow.name} of candidates")
    auditor = _auditor(engine, gaps, state)
    auditor.restore()
    engine.learned = auditor
    hear = _steered(engine, auditor.name, auditor.hear)
    bus.subscribe_call(MarketMoved, hear, auditor.name)
    bus.subscribe_call(RoundTripClosed, hear, f"{auditor.name} of trades")
    bus.subscribe_call(ShadowEnded, hear, f"{auditor.name} of followed signals")
    return Backward(shadow, auditor)


def _shadow_book(engine: Engine, rules: MatchRules, gaps: GapsConfig) -> ShadowBook:
    parts = engine.parts
    planner = ShadowPlanner(gaps, parts.instruments, engine.equity, rules.slippage or SlippageModel())
    return ShadowBook(
        ShadowDesk(
            journal=parts.journal,
            picture=engine.picture,
            sessions=parts.sessions,
            history=parts.history,
            rules=rules,
            tick_of=lambda name: (parts.instruments.get(name) or Instrument(name)).tick_size,
            plan_of=planner.plan,
            publish=parts.publish,
        )
    )


def _auditor(engine: Engine, gaps: GapsConfig, state: StatePaths) -> Auditor:
    parts = engine.parts
    desk = PolicyDesk(parts.journal, parts.clock, parts.sessions, engine.ids.new, parts.publish)
    book = PolicyBook(desk, Gaps.name, Rules(gaps, parts.kind, parts.switches, parts.risk.max_position_pct))

    def waiting(strategy: StrategyName) -> list[TicketId]:
        return [entry.ticket.id for entry in engine.tickets.waiting() if entry.ticket.strategy == strategy]

    def write(name: str, text: str) -> str:
        folder = make_private(state.reports)
        return str(write_artifact(folder, name, text.encode()))

    audit = AuditDesk(
        journal=parts.journal,
        clock=parts.clock,
        sessions=parts.sessions,
        publish=parts.publish,
        waiting=waiting,
        reject=engine.give,
        past_proposals=_past(engine, gaps, state),
        write=write,
    )
    return Auditor(audit, book, Freezes(parts.journal, parts.clock, parts.publish))


def _past(engine: Engine, gaps: GapsConfig, state: StatePaths) -> Callable[[], Sequence[tuple[date, float]]]:
    """Walk-forward proposals that a person keeps as evidence; for made-up markets there are none.

    Under other gates they say nothing. Which report they are of is in the audit log. Raises StorageError.
    """
    kept = None if engine.parts.kind is AccountKind.SIMULATION else kept_proposals(state.home.data)
    if kept is None:
        return tuple
    differ = other_gates(kept.thresholds, gaps)
    journal, counted = engine.parts.journal, f"{kept.sha256} {'' if differ else len(kept.returns)}"
    if journal.meta(EVIDENCE_KEY) != counted:
        body = {"report": kept.sha256, "proposals": len(kept.returns), "other_gates": list(differ)}
        line = AuditEntry(engine.parts.clock.now_us(), "engine", "evidence_kept", "", body)
        journal.commit((JournalRow("meta", {"k": EVIDENCE_KEY, "v": counted}),), (line,))
    return tuple if differ else lambda: kept.returns


def _policy_of(auditor: Auditor | None) -> Callable[[StrategyName], str | None]:
    def policy_id(strategy: StrategyName) -> str | None:
        policy = None if auditor is None else auditor.policy(strategy)
        return None if policy is None else policy.policy_id

    return policy_id
