"""The states an agent is in, and the one table of moves between them (SPEC 5.2). Everything else raises.

Agents judge at once, inside one turn of the loop, so a command never meets one in the middle of its work.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from engine.clock import US_PER_S
from engine.errors import InvariantBroken


class AgentState(StrEnum):
    """What may be expected of an agent now."""

    INITIALIZED = "initialized"
    STARTING = "starting"
    RUNNING = "running"
    PROCESSING = "processing"
    PAUSED = "paused"
    ERROR = "error"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class AgentEvent(StrEnum):
    """What happens to an agent."""

    START = "start"
    OK = "ok"
    ERROR = "error"
    DATA = "data"
    DONE = "done"
    PAUSE = "pause"
    RESUME = "resume"
    RECOVERED = "recovered"
    CRITICAL = "critical"
    STOP = "stop"
    FORCE = "force"


_S, _E = AgentState, AgentEvent
MOVES: Mapping[tuple[AgentState, AgentEvent], AgentState] = MappingProxyType(
    {
        (_S.INITIALIZED, _E.START): _S.STARTING,
        (_S.STARTING, _E.OK): _S.RUNNING,
        (_S.STARTING, _E.ERROR): _S.FAILED,
        (_S.RUNNING, _E.DATA): _S.PROCESSING,
        (_S.PROCESSING, _E.DONE): _S.RUNNING,
        (_S.PROCESSING, _E.ERROR): _S.ERROR,
        (_S.RUNNING, _E.PAUSE): _S.PAUSED,
        (_S.PAUSED, _E.RESUME): _S.RUNNING,
        (_S.ERROR, _E.RECOVERED): _S.RUNNING,
        (_S.ERROR, _E.CRITICAL): _S.FAILED,
        (_S.RUNNING, _E.STOP): _S.STOPPING,
        (_S.PAUSED, _E.STOP): _S.STOPPING,
        (_S.ERROR, _E.STOP): _S.STOPPING,
        (_S.STOPPING, _E.DONE): _S.STOPPED,
        (_S.FAILED, _E.FORCE): _S.STOPPED,
    }
)
MOST_FAILURES = 3
"""In a row: with the last one the agent has failed, and only a person starts it again."""
FIRST_PAUSE_US = 60 * US_PER_S
"""After one failure; twice as long after the second (SPEC 5.13)."""


class IllegalTransition(InvariantBroken):
    """A move that the table does not have."""


def after(state: AgentState, event: AgentEvent) -> AgentState:
    """The state that follows. Raises IllegalTransition for a pair that is not in the table."""
    found = MOVES.get((state, event))
    if found is None:
        raise IllegalTransition(f"an agent that is {state} cannot take {event}")
    return found


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """One agent as it stands. Times int microseconds UTC; None: not yet."""

    name: str
    state: AgentState
    since_us: int
    by: str = ""
    """Who brought it into this state; "" for the engine."""
    vote: str = ""
    """Of its last judgment."""
    reason: str = ""
    judged_us: int | None = None
    elapsed_us: int | None = None
    error: str = ""
    """The last one, also after a recovery."""
    error_us: int | None = None
    failures: int = 0
    """In a row."""
    retry_us: int | None = None
    """From when on an agent in error is asked again."""

    def moved(self, event: AgentEvent, now_us: int, by: str = "") -> "AgentStatus":
        """After an event. Raises IllegalTransition."""
        return replace(self, state=after(self.state, event), since_us=now_us, by=by)

    def begun(self) -> "AgentStatus":
        """It works on something: for so short that nobody sees it."""
        return replace(self, state=after(self.state, AgentEvent.DATA))

    def ended(self, vote: str, reason: str, now_us: int, elapsed_us: int) -> "AgentStatus":
        """It did its work: what failed before is over."""
        return replace(
            self,
            state=after(self.state, AgentEvent.DONE),
            vote=vote,
            reason=reason,
            judged_us=now_us,
            elapsed_us=elapsed_us,
            failures=0,
            retry_us=None,
        )

    def broken(self, error: str, now_us: int) -> "AgentStatus":
        """It failed: asked again after a pause, and no more from the third failure in a row on."""
        failures = self.failures + 1
        failed = replace(
            self.moved(AgentEvent.ERROR, now_us),
            error=error,
            error_us=now_us,
            failures=failures,
            retry_us=now_us + (FIRST_PAUSE_US << (failures - 1)),
        )
        if failures < MOST_FAILURES:
            return failed
        return replace(failed.moved(AgentEvent.CRITICAL, now_us), retry_us=None)

    def looked_at(self, now_us: int) -> "AgentStatus":
        """Back from an error whose pause is over."""
        is_over = self.retry_us is not None and now_us >= self.retry_us
        if self.state is AgentState.ERROR and is_over:
            return replace(self.moved(AgentEvent.RECOVERED, now_us), retry_us=None)
        return self

    def started(self, now_us: int, by: str = "") -> "AgentStatus":
        """A new instance of it runs. Raises IllegalTransition while the old one does."""
        status = self.moved(AgentEvent.FORCE, now_us) if self.state is AgentState.FAILED else self
        if status.state is AgentState.STOPPED:
            status = replace(status, state=AgentState.INITIALIZED, failures=0, retry_us=None)
        return status.moved(AgentEvent.START, now_us).moved(AgentEvent.OK, now_us, by)

    def stopped(self, now_us: int, by: str = "") -> "AgentStatus":
        """It is asked no more. Raises IllegalTransition where it was not running."""
        if self.state is AgentState.FAILED:
            return self.moved(AgentEvent.FORCE, now_us, by)
        return self.moved(AgentEvent.STOP, now_us).moved(AgentEvent.DONE, now_us, by)

    def why_silent(self, now_us: int) -> str:
        """Why it is not asked, in words; "" while it runs."""
        match self.state:
            case AgentState.RUNNING | AgentState.PROCESSING:
                return ""
            case AgentState.ERROR:
                left = max(0, (self.retry_us or now_us) - now_us) // US_PER_S
                return (
                    f"failed {self.failures} of {MOST_FAILURES} times, asked again in {left} s: {self.error}"
                )
            case AgentState.FAILED:
                return f"failed {self.failures} times, limit {MOST_FAILURES}: {self.error}"
            case _:
                return f"{self.state} by {self.by}" if self.by else f"{self.state}"
