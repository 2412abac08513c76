"""Asks the agents in order, keeps every verdict, and counts the votes (SPEC 3.4, 3.4.1)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from engine.agents.base import Agent, AgentContext
from engine.agents.notes import against, clip
from engine.agents.roster import TIMEOUT_US as TIMEOUT_US
from engine.agents.roster import Attempt, Roster
from engine.model.candidates import AgentReport, GapCandidate, Vote
from engine.money import EPSILON

T = TypeVar("T")
MIN_VOTES = 5
"""With fewer scored votes an agent weighs 1."""
_WEIGHTS = ((0.90, 1.5), (0.70, 1.0), (0.50, 0.75))
_LOWEST_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """What the strategy's past says: its closed trades, and agent -> (share of right votes, votes scored)."""

    closed_trades: int = 0
    accuracy: Mapping[str, tuple[float, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Consensus:
    """The outcome of a count. `score`: weighted approval 0..1, None where unanimity was asked.

    `reason` is a sentence, `note` its form for a table ("" when approved).
    """

    approved: bool
    score: float | None
    reason: str
    note: str


def weight_of(share_right: float, votes: int) -> float:
    """Weight of an agent by its historic accuracy."""
    if votes < MIN_VOTES:
        return 1.0
    return next((weight for least, weight in _WEIGHTS if share_right >= least - EPSILON), _LOWEST_WEIGHT)


def agree(
    reports: Sequence[AgentReport], record: TrackRecord, after_trades: int, min_share: float
) -> Consensus:
    """Any hard veto rejects; before `after_trades` closed trades all who vote must approve.

    From then on the weighted share of approvals must reach `min_share`. Abstentions are left out; without a
    single vote nothing is approved.
    """
    voters = [report for report in reports if report.vote is not Vote.ABSTAIN]
    vetoes = [report for report in voters if report.vote is Vote.VETO]
    hard = next((report for report in vetoes if report.hard), None)
    if hard is not None:
        return Consensus(False, None, f"{hard.agent}: {_first(hard)}", hard.note)
    if not voters:
        return Consensus(False, None, "no agent voted", "no votes")
    if record.closed_trades < after_trades:
        if vetoes:
            return Consensus(False, None, f"{vetoes[0].agent}: {_first(vetoes[0])}", vetoes[0].note)
        return Consensus(True, None, f"all {len(voters)} voters approve", "")
    weights = {report.agent: weight_of(*record.accuracy.get(report.agent, (0.0, 0))) for report in voters}
    approving = sum(weights[report.agent] for report in voters if report.vote is Vote.APPROVE)
    score = approving / sum(weights.values())
    if score >= min_share - EPSILON:
        return Consensus(True, score, f"weighted approval {score:.3f}, limit {min_share:.2f}", "")
    reason = f"weighted approval {score:.3f} is below the limit {min_share:.2f}"
    return Consensus(False, score, reason, against("votes", score, "<", min_share))


def _first(report: AgentReport) -> str:
    return report.reasons[0] if report.reasons else report.vote.value


class Panel:
    """The agents of a strategy. A new agent is one more line where the panel is built.

    With a `roster` an agent that does not run is not asked: it counts as a hard veto.
    """

    def __init__(
        self, agents: Sequence[Agent], monotonic_us: Callable[[], int], roster: Roster | None = None
    ) -> None:
        self._agents = tuple(agents)
        self._monotonic_us = monotonic_us
        self._roster = roster

    def judge(self, candidate: GapCandidate, context: AgentContext) -> tuple[AgentReport, ...]:
        """Every agent's report, also after a hard veto, with the time that each took."""
        return tuple(self._ask(agent, candidate, context) for agent in self._agents)

    def attempt(self, name: str, work: Callable[[], T]) -> Attempt[T]:
        """A piece of an agent's work that must be done before all are asked: its value, or the problem.

        An error counts against the agent, as one while it judges does.
        """
        if why := self._why_silent(name):
            return Attempt(None, f"{name} does not run: {why}", 0)
        return self._timed(name, work)

    def _timed(self, name: str, work: Callable[[], T]) -> Attempt[T]:
        started = self._monotonic_us()
        value, problem = None, ""
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - one of the four edges: what is broken must not approve
            problem = f"{type(error).__name__}: {error}"
            if self._roster is not None:
                self._roster.failed(name, problem)
        return Attempt(value, problem, self._monotonic_us() - started)

    def _ask(self, agent: Agent, candidate: GapCandidate, context: AgentContext) -> AgentReport:
        name = agent.name
        if why := self._why_silent(name):
            reason, note = f"{name} does not run: {why}", clip(f"agent {why.split()[0]}")
            return AgentReport(name, Vote.VETO, True, (reason,), note, value=why, limit="running")
        asked = self._timed(name, lambda: agent.judge(candidate, context))
        report, elapsed = asked.value, asked.elapsed_us
        if report is None:
            reason = f"the agent failed: {asked.problem or 'it said nothing'}"
            failed = AgentReport(name, Vote.VETO, True, (reason,), "agent failed", None, elapsed)
            return replace(failed, value="failed", limit="a judgment")
        if asked.is_late:
            limit = f"<= {TIMEOUT_US / 1e6:.0f} s"
            reasons = (asked.late_words, *report.reasons)
            report = AgentReport(
                name, Vote.VETO, True, reasons, "timeout", value=f"{elapsed / 1e6:.1f} s", limit=limit
            )
        report = replace(report, elapsed_us=elapsed)
        if self._roster is not None:
            self._roster.judged(name, report)
        return report

    def _why_silent(self, name: str) -> str:
        return "" if self._roster is None else self._roster.why_silent(name)
