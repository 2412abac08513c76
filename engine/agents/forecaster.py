"""The probability of a bounce, once a model is registered."""

from engine.agents.base import AgentContext
from engine.model.candidates import AgentReport, GapCandidate, Vote


class Forecaster:
    """Abstains: no model is registered, and the naive rule asks for none."""

    name = "forecaster"

    def judge(self, candidate: GapCandidate, context: AgentContext) -> AgentReport:
        reason = "no_model: no registered model gives a probability, so this vote is left out of the count"
        return AgentReport(self.name, Vote.ABSTAIN, False, (reason,), "no_model")
