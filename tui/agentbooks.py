"""The agents and the rule in force as JSON documents."""

from engine.agents.roster import KEEPERS, VOTERS
from engine.agents.steering import stored_state
from engine.core import Engine
from engine.model.tickets import to_plain
from engine.ports import Journal
from engine.strategies.gaps import Gaps


def running_agents(engine: Engine) -> list[dict[str, object]]:
    """Every agent as it stands now; empty where none has a state."""
    desk = engine.parts.agents
    return [] if desk is None else [dict(to_plain(status)) for status in desk.roster.statuses()]


def stored_agents(journal: Journal) -> list[dict[str, object]]:
    """As the next start will find them: running, unless a person paused or stopped one."""
    found: list[dict[str, object]] = []
    for name in (*VOTERS, *KEEPERS):
        state, by = stored_state(journal, name)
        found.append(
            {
                "name": name,
                "state": state or "initialized",
                "by": by,
                "vote": "",
                "reason": "no engine runs on this state",
                "judged_us": None,
                "error": "",
                "failures": 0,
            }
        )
    return found


def strategies(engine: Engine) -> dict[str, object]:
    """Which rule decides, and why; what is learned of each strategy's edge, and whether it is frozen."""
    found: dict[str, object] = {}
    parts, learned = engine.parts, engine.learned
    session = parts.sessions.next_after(parts.clock.now_us())
    model = None if session is None else parts.knowledge.model(session.day)
    for strategy in engine.parts.strategies:
        about: dict[str, object] = {
            "stage": engine.parts.terms[strategy.name].stage,
            "frozen": "" if learned is None else learned.frozen().get(strategy.name, ""),
        }
        if isinstance(strategy, Gaps):
            choice = strategy.choice(model)
            about |= {"rule": choice.rule.value, "why": choice.why}
            about["model"] = None if model is None else model.model_id
        found[strategy.name] = about
    return found
