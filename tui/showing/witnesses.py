"""Historian and Auditor beside the six that vote: what the past says. It decides nothing here (SPEC 3.4)."""

from datetime import date

from engine.core import Engine
from engine.model.candidates import AgentReport, Vote
from engine.model.ids import InstrumentId, StrategyName

VOTES_FROM = 20
"""Closed trades of the strategy from which votes are weighted (SPEC 3.4.1)."""


def witnesses(
    engine: Engine, strategy: StrategyName, instrument: InstrumentId, session: date
) -> tuple[AgentReport, ...]:
    """Both reports; none where nothing is learned."""
    policy = None if engine.learned is None else engine.learned.policy(strategy)
    if policy is None:
        return ()
    standing = policy.standing(instrument, session)
    past = f"{standing.n} past: {standing.wins} won, {standing.state.value}" if standing.n else "never traded"
    weighted = policy.closed_trades >= VOTES_FROM
    votes = "votes are weighted by accuracy" if weighted else "all six must agree"
    return (
        AgentReport("historian", Vote.ABSTAIN, False, (past,)),
        AgentReport("auditor", Vote.ABSTAIN, False, (f"{policy.closed_trades} closed: {votes}",)),
    )
