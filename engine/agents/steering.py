"""A person starts, pauses, resumes or stops one agent; what is paused or stopped stays so over a restart."""

from collections.abc import Callable

from engine.agents.lifecycle import AgentEvent, AgentState, AgentStatus, IllegalTransition
from engine.agents.roster import Roster
from engine.errors import StorageError
from engine.model.commands import AgentMove, Answer, SteerAgent
from engine.model.events import AgentMoved, Event
from engine.ports import AuditEntry, Journal, JournalRow

_KEY = "agent_"
_LASTING = (AgentState.PAUSED, AgentState.STOPPED)
_DONE = {
    AgentMove.START: "runs",
    AgentMove.PAUSE: "is paused: nothing passes without its vote",
    AgentMove.RESUME: "runs again",
    AgentMove.STOP: "is stopped: nothing passes without its vote",
}


def make_roster(now_us: Callable[[], int], publish: Callable[[Event], None]) -> Roster:
    """A roster whose changes are told."""

    def tell(status: AgentStatus, was: AgentState) -> None:
        why = status.error if status.state in (AgentState.ERROR, AgentState.FAILED) else ""
        moved = AgentMoved(status.name, status.state.value, was.value, why, status.by, status.since_us)
        publish(moved)

    return Roster(now_us, changed=tell)


class AgentDesk:
    """Takes SteerAgent; each one that is carried out is in the audit log before it takes effect."""

    def __init__(self, roster: Roster, journal: Journal, now_us: Callable[[], int]) -> None:
        self.roster = roster
        self._journal = journal
        self._now_us = now_us

    def restore(self) -> None:
        """Start all; those that a person paused or stopped before the restart are so again."""
        self.roster.start()
        now = self._now_us()
        for status in self.roster.statuses():
            state, by = stored_state(self._journal, status.name)
            if state == AgentState.PAUSED:
                self.roster.put(status.moved(AgentEvent.PAUSE, now, by))
            elif state == AgentState.STOPPED:
                self.roster.put(status.stopped(now, by))

    def give(self, command: SteerAgent) -> Answer:
        """Carry out a command; a refusal says why."""
        name, actor = command.agent, str(command.actor)
        status = self.roster.get(name)
        if status is None:
            names = ", ".join(each.name for each in self.roster.statuses())
            return Answer(False, "unknown_agent", f"No agent is named {name}. Agents: {names}.")
        now = self._now_us()
        try:
            moved = _moved(status.looked_at(now), command.move, now, actor)
        except IllegalTransition:
            text = f"{name} is {status.state}: it cannot {command.move}. Nothing was done."
            return Answer(False, "illegal_move", text)
        kept = f"{moved.state} {actor}" if moved.state in _LASTING else ""
        row = JournalRow("meta", {"k": f"{_KEY}{name}", "v": kept})
        states = {"was": status.state.value, "state": moved.state.value}
        body = {"agent": name, "move": command.move.value, **states}
        try:
            self._journal.commit((row,), (AuditEntry(now, actor, "agent_steered", "", body),))
        except StorageError as error:
            return Answer(False, "not_journalled", f"{name} is {status.state} still: {error}")
        self.roster.put(moved)
        return Answer(True, "ok", f"{name} {_DONE[command.move]}.")


def stored_state(journal: Journal, agent: str) -> tuple[str, str]:
    """`paused` or `stopped` and by whom, where a person left an agent so; "" and "" else."""
    state, _, by = (journal.meta(f"{_KEY}{agent}") or "").partition(" ")
    return state, by


def _moved(status: AgentStatus, move: AgentMove, now: int, actor: str) -> AgentStatus:
    match move:
        case AgentMove.START:
            return status.started(now, actor)
        case AgentMove.PAUSE:
            return status.moved(AgentEvent.PAUSE, now, actor)
        case AgentMove.RESUME:
            return status.moved(AgentEvent.RESUME, now, actor)
        case AgentMove.STOP:
            return status.stopped(now, actor)
