"""What a look at the venue works with, and what it finds (RELIABILITY 7)."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from engine.clock import Clock
from engine.execution.bracket import Bracket, Leg
from engine.execution.orders import Brackets
from engine.model.commands import ENGINE
from engine.model.ids import AccountId, ClientOrderId, InstrumentId
from engine.model.positions import AccountKind, AccountSnapshot
from engine.money import ZERO
from engine.ports import AuditEntry, Broker, Journal
from engine.state import LivePicture


@dataclass(frozen=True, slots=True)
class Post:
    """Both sides: our books, and the venue's."""

    account: AccountId
    kind: AccountKind
    journal: Journal
    broker: Broker
    clock: Clock
    brackets: Brackets
    picture: LivePicture
    alarm: Callable[[str, bool, str], None]
    """Text, whether to page, and a stable word for its kind."""
    halt: Callable[[str, InstrumentId | None], None]
    """Let nothing new begin in an instrument; None: on the account."""
    money: Callable[[AccountSnapshot, bool], None] = lambda account, shared: None
    """Told each account whose positions agree, and whether others trade on it too."""

    def audit(self, kind: str, body: Mapping[str, object], actor: str = str(ENGINE)) -> AuditEntry:
        """A line of the audit log that belongs to no candidate."""
        return AuditEntry(self.clock.now_us(), actor, kind, "", body)


@dataclass(frozen=True, slots=True)
class Difference:
    """An instrument of which the venue holds another quantity than our brackets and what is not ours."""

    instrument: InstrumentId
    ours: Decimal
    external: Decimal
    theirs: Decimal
    settled: bool
    """No order of it is unknown, on its way, or moved just now: the quantities can be compared."""

    @property
    def unexplained(self) -> Decimal:
        """What the venue holds too much; below zero: too little."""
        return self.theirs - self.external - self.ours

    @property
    def text(self) -> str:
        """In words, with both numbers."""
        external = f", of which {self.external} are not ours" if self.external else ""
        return f"{self.instrument}: we hold {self.ours}, the venue says {self.theirs}{external}"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look found. Orders of others are no reason for anything: they are shown, and left alone."""

    asked: int
    """Single questions."""
    differences: tuple[Difference, ...] = ()
    kept: tuple[ClientOrderId, ...] = ()
    """Orders of ours that no row of the journal knows, and that protect something."""
    ending: tuple[ClientOrderId, ...] = ()
    """The others of these: they were asked to end."""
    foreign: Mapping[ClientOrderId, str] = field(default_factory=dict)
    """Working orders of others, in words."""
    skew_us: int | None = None
    """The venue's clock less ours; None when it tells none."""

    @property
    def clean(self) -> bool:
        """Our books are the venue's, and nothing works there that we did not mean to."""
        return not self.differences and not self.ending


def compare(
    post: Post,
    account: AccountSnapshot,
    external: Mapping[InstrumentId, Decimal],
    is_moving: Callable[[Leg], bool],
) -> tuple[Difference, ...]:
    """Where the venue's quantity is not the sum of our brackets and what is known not to be ours.

    Not while a corporate action is under way: the two sides then count different shares.
    """
    ours: defaultdict[InstrumentId, Decimal] = defaultdict(lambda: ZERO)
    moving: set[InstrumentId] = set()
    restated: set[InstrumentId] = set()
    for bracket in post.brackets.open():
        ours[bracket.instrument] += bracket.held
        if _is_ahead(bracket, post.picture):
            restated.add(bracket.instrument)
        if any(is_moving(leg) for leg in bracket.legs):
            moving.add(bracket.instrument)
    theirs = {position.instrument: position.quantity for position in account.positions}
    found = (
        Difference(
            name, ours.get(name, ZERO), external.get(name, ZERO), theirs.get(name, ZERO), name not in moving
        )
        for name in sorted((ours.keys() | theirs.keys() | external.keys()) - restated)
    )
    return tuple(difference for difference in found if difference.unexplained != ZERO)


def _is_ahead(bracket: Bracket, picture: LivePicture) -> bool:
    """Restated for a corporate action that the venue may not have carried out: its session is not handled."""
    action, session = bracket.last_action, picture.session
    return bracket.restating or (action is not None and session is not None and action > session)
