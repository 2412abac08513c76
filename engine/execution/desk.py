"""What the writer of brackets works with: the rim that it was given, and its way to tell a person."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from engine.clock import US_PER_S, Clock
from engine.execution.books import Books
from engine.execution.bracket import ONE, Bracket
from engine.model.events import Alarm, Event
from engine.model.ids import InstrumentId
from engine.model.text import clean
from engine.ports import Broker, Journal
from engine.scheduler import Scheduler
from engine.state import LivePicture

PRICE_AGE_US = 30 * US_PER_S
"""Ten times what an entry may rely on: an instrument may be quiet for so long, a feed that works is not. The
price of a mute feed starts no exit, cancels no entry and limits no sale: the venue's stop still works, and
what has no stop gets one, which a venue that knows better triggers at once or refuses."""
ALARM_LENGTH = 500
"""Characters of an alarm at most: a venue's own words may be in it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One account's journal, venue, time and books."""

    journal: Journal
    broker: Broker
    clock: Clock
    scheduler: Scheduler
    picture: LivePicture
    books: Books
    publish: Callable[[Event], None]
    is_halted: Callable[[InstrumentId], bool]
    """The account or the instrument is halted."""
    halt: Callable[[str, InstrumentId | None], None]
    """Let nothing new begin in an instrument; None: on the account."""
    tick_of: Callable[[InstrumentId], Decimal | None] = lambda instrument: None
    """To which tick computed prices are rounded; None: they are not."""
    lot_of: Callable[[InstrumentId], Decimal] = lambda instrument: ONE
    """To which the quantities of tiers are rounded down."""
    close_us: Callable[[], int | None] = lambda: None
    """With a running clock: when the session of now, or the next one, closes. None: time is stepped."""
    price_age_us: int | None = None
    """With a running clock: an older price is no reason to trade. None: time is stepped, it is of now."""
    look: Callable[[], None] = lambda: None
    """Have the books compared with the venue soon."""

    def alarm(self, bracket: Bracket, text: str, page: bool) -> None:
        """Tell a person of a bracket; `page`: now."""
        told = clean(text, ALARM_LENGTH)
        self.publish(Alarm(told, page, bracket.correlation, self.clock.now_us()))
