"""What an agent is and all it may look at (SPEC 3.4): a pure judge of one candidate at one instant."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from engine.model.candidates import AgentReport, GapCandidate, Vote
from engine.model.checks import Check
from engine.model.market import Quote
from engine.risk.sizing import Sizing
from engine.strategies.base import StrategyContext
from engine.strategies.gaps_orders import EntryPrices
from engine.strategies.regime import RegimeReading


@dataclass(frozen=True, slots=True)
class AgentContext:
    """The instant, and what the strategy worked out for this candidate before asking."""

    market: StrategyContext
    regime: RegimeReading
    quote: Quote
    completed_bars: int
    """Daily bars of the instrument before the session, counted up to what a decision uses."""
    prices: EntryPrices | None
    """None when the quote lacks a side."""
    sizing: Sizing | None
    """None when there are no prices in order to size at."""
    open_in_strategy: int
    """Open positions and working entries, with the proposals already made at this instant."""
    entries_this_session: int
    """With the proposals already made at this instant."""
    cash: Decimal
    """Free cash less the proposals already made at this instant."""
    sector: str = ""
    """Of the candidate; "" without a source of sectors."""
    in_sector: int = 0
    """Instruments held or being entered in it, with the proposals already made at this instant."""


class Agent(Protocol):
    """Does not fetch, place, log, sleep or remember."""

    name: str

    def judge(self, candidate: GapCandidate, context: AgentContext) -> AgentReport:
        """Approve, veto or abstain, with measured number and limit in every reason."""
        ...


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that speaks against a candidate: the sentence, and its form for a table.

    `value` was measured, `limit` would have passed, both fit to show: `price 3.12` and `>= 5`.
    """

    reason: str
    note: str
    value: str
    limit: str


def objection(check: Check) -> Objection:
    """A check that failed, as what speaks against the candidate."""
    return Objection(check.reason, check.note, check.value, check.limit)


def verdict(agent: str, objections: list[Objection], hard: bool, approval: tuple[str, ...]) -> AgentReport:
    """A veto with all objections, the first one decisive; if none, an approval with its measured numbers.

    Empty texts in `approval` are left out.
    """
    if not objections:
        return AgentReport(agent, Vote.APPROVE, False, tuple(filter(None, approval)))
    reasons = tuple(objection.reason for objection in objections)
    first = objections[0]
    return AgentReport(agent, Vote.VETO, hard, reasons, first.note, value=first.value, limit=first.limit)
