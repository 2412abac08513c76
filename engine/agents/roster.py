"""The agents of one engine with their states. The one writer of them; others read `statuses`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from engine.agents.lifecycle import AgentState, AgentStatus
from engine.model.candidates import AgentReport
from engine.model.events import MarketMoved

T = TypeVar("T")
VOTERS = ("sentinel", "screener", "forecaster", "riskofficer", "newssentry", "trader")
KEEPERS = ("historian", "auditor")
"""They listen and never vote."""
TIMEOUT_US = 5_000_000


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """What came of a piece of work: a value, or the problem in words. `elapsed_us`: how long it took."""

    value: T | None
    problem: str
    elapsed_us: int

    @property
    def is_late(self) -> bool:
        """It took longer than an agent may: what came of it does not count."""
        return self.elapsed_us > TIMEOUT_US

    @property
    def late_words(self) -> str:
        """`timeout: 5.2 s, limit 5 s`."""
        return f"timeout: {self.elapsed_us / 1e6:.1f} s, limit {TIMEOUT_US / 1e6:.0f} s"


class Roster:
    """All eight agents. `now_us` stamps their states; `changed` is told of each that came to rest anew."""

    def __init__(
        self,
        now_us: Callable[[], int],
        names: Iterable[str] = (*VOTERS, *KEEPERS),
        changed: Callable[[AgentStatus, AgentState], None] = lambda status, was: None,
    ) -> None:
        self._now_us = now_us
        self._changed = changed
        now = now_us()
        self._statuses = {name: AgentStatus(name, AgentState.INITIALIZED, now) for name in names}

    def start(self) -> None:
        """Start every agent that was never started."""
        now = self._now_us()
        for status in self.statuses():
            if status.state is AgentState.INITIALIZED:
                self._statuses[status.name] = status.started(now)

    def statuses(self) -> tuple[AgentStatus, ...]:
        """In the order of the specification."""
        return tuple(self._statuses.values())

    def get(self, name: str) -> AgentStatus | None:
        """One agent; None for a name that none has."""
        return self._statuses.get(name)

    def put(self, status: AgentStatus) -> None:
        """A person moved an agent; told to whoever listens."""
        was = self._statuses[status.name]
        self._statuses[status.name] = status
        if status.state is not was.state:
            self._changed(status, was.state)

    def why_silent(self, name: str) -> str:
        """Why an agent is not asked now; "" when it is. A pause after an error may be over by now."""
        now, status = self._now_us(), self._statuses.get(name)
        if status is None:
            return ""
        looked = status.looked_at(now)
        if looked is not status:
            self.put(looked)
        return looked.why_silent(now)

    def judged(self, name: str, report: AgentReport) -> None:
        """It gave a report."""
        status = self._statuses.get(name)
        if status is not None:
            reason = report.reasons[0] if report.reasons else ""
            ended = status.begun().ended(report.vote, reason, self._now_us(), report.elapsed_us)
            self._statuses[name] = ended

    def worked(self, name: str, words: str) -> None:
        """It did something that is no vote."""
        status = self._statuses.get(name)
        if status is not None:
            self._statuses[name] = status.begun().ended("", words, self._now_us(), 0)

    def failed(self, name: str, error: str) -> None:
        """Its work failed."""
        status = self._statuses.get(name)
        if status is not None and not status.why_silent(self._now_us()):
            self.put(status.begun().broken(error, self._now_us()))

    def listening(self, name: str, hear: Callable[[Any], None]) -> Callable[[Any], None]:
        """The same listener, not told while its agent does not run; an error counts against the agent."""

        def heard(event: Any) -> None:
            if self.why_silent(name):
                return
            problem = f"{type(event).__name__} was not dealt with"
            try:
                hear(event)
                problem = ""
            finally:
                # The error itself goes on to the bus, which tells a person.
                if problem:
                    self.failed(name, problem)
            if not isinstance(event, MarketMoved):
                self.worked(name, f"heard {type(event).__name__}")

        return heard
