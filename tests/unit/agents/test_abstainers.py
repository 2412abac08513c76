from typing import Any

import pytest

from engine.agents.forecaster import Forecaster
from engine.agents.newssentry import NewsSentry
from engine.model.candidates import Vote


@pytest.mark.parametrize(("agent", "note"), [(Forecaster(), "no_model"), (NewsSentry(), "no_source")])
def test_an_agent_without_its_input_abstains_and_says_why(
    candidate: Any, make_context: Any, agent: Any, note: str
) -> None:
    report = agent.judge(candidate, make_context())
    assert (report.agent, report.vote, report.hard, report.note) == (agent.name, Vote.ABSTAIN, False, note)
    assert report.reasons[0].startswith(f"{note}: ")
    assert report.score is None
