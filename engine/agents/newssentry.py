"""Bad news, once a source of headlines is connected."""

from engine.agents.base import AgentContext
from engine.model.candidates import AgentReport, GapCandidate, Vote


class NewsSentry:
    """Abstains: there is no source of headlines or filings to look into."""

    name = "newssentry"

    def judge(self, candidate: GapCandidate, context: AgentContext) -> AgentReport:
        reason = "no_source: no source of headlines is connected, so this vote is left out of the count"
        return AgentReport(self.name, Vote.ABSTAIN, False, (reason,), "no_source")
