"""Keeps our books those of the venue: follows its stream, and looks again and again (RELIABILITY 7).

The stream is quick and may lie: it drops, doubles and delays, and goes mute while it is connected. The looks
are slow and true. New entries wait until two looks in a row found nothing to doubt and every position has its
stop, and again whenever the last look is too old; exits and stops never wait for either.

With a clock that a replay steps the venue lives in this process: both looks are taken at once, at the start
and after each break of the stream, and nothing is done by time.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from engine.clock import US_PER_S
from engine.errors import BrokerError, BrokerUnavailable, ConfigError
from engine.execution.bracket import Bracket, BracketPhase
from engine.execution.doubts import PROOF_US, Doubt, weigh
from engine.execution.findings import Difference, Findings, Post
from engine.execution.orders import ticket_of
from engine.execution.reconcile import Reconciliation
from engine.model.ids import InstrumentId
from engine.model.orders import OrderRole, OrderState, VenueUpdate
from engine.money import ZERO
from engine.reliability.supervisor import pause_us

LOOK_EVERY_US = 30 * US_PER_S
"""One look reads orders, positions, executions and the account, as often as the most urgent of them needs."""
LOOK_AGAIN_US = PROOF_US
"""Before it is ready, and while something is in doubt. Two looks so far apart prove something."""
LOOK_SOON_US = 2 * LOOK_AGAIN_US
"""After a look that failed, while new entries wait for one since the start."""
LOOK_GAP_US = US_PER_S
"""Whatever the stream shows, no two looks begin closer than that."""
SETTLE_US = 2 * US_PER_S
"""An order that moved so shortly before a look is left out of it."""
ANSWERS_S = 30
"""A look whose answers take longer has failed."""
OLDEST_LOOK_US = 120 * US_PER_S
"""No new entries when the last look is older."""
BEAT_US = 5 * US_PER_S
"""How often the machine's clock is compared with ours, and the venue is asked for single orders that may fill
without a stop: an entry that only we would protect, and an exit. The stream may be mute and say nothing."""
JUMP_US = 2 * US_PER_S
SKEW_WARNING_US = 250_000
SKEW_LIMIT_US = US_PER_S
"""Beyond it no new entries: the gate says so (RELIABILITY 1, R7)."""


class Watch:
    """`follow` and `run` are kept running by the engine; `run` only where time runs by itself (`live`)."""

    def __init__(
        self, post: Post, changed: Callable[[], None], live: bool, jitter: Callable[[], float]
    ) -> None:
        self._post = post
        self._changed = changed
        self._live = live
        self._jitter = jitter
        self._reconciliation = Reconciliation(post)
        self._ready = asyncio.Event()
        self.is_following = False
        """The stream is connected, and what it did not tell was caught up with."""
        self.findings: Findings | None = None
        """Of the last look."""
        self.foreign_updates = 0
        """Reports of the stream about orders of others."""
        self._has_followed = False
        self._wrong_account = ""
        self._clean_us: int | None = None
        """Since when no look found anything to doubt."""
        self._doubts: Mapping[InstrumentId, Doubt] = {}
        self._looking = asyncio.Lock()
        self._began_us = post.clock.now_us()
        self._looked_us: int | None = None
        self._failures = 0
        """Looks in a row that failed."""
        self._is_old = False
        self._skew_told = 0
        self._jump_us = 0
        self._looked_jump_us = post.clock.jumped_us()
        self._woken = asyncio.Event()

    @property
    def is_ready(self) -> bool:
        """Two looks in a row found nothing to doubt, and every position is covered or on its way out."""
        return self._ready.is_set()

    async def ready(self) -> None:
        """Wait until it is."""
        await self._ready.wait()

    @property
    def wrong_account(self) -> str:
        """Why what the venue answers for is not our account; "" while it is."""
        return self._wrong_account

    def reconciled_age_us(self) -> int | None:
        """How long ago the last look that succeeded ended; None where nothing is done by time."""
        since = self._began_us if self._looked_us is None else self._looked_us
        return self._post.clock.now_us() - since if self._live else None

    def clock_skew_us(self) -> int | None:
        """The venue's clock less ours at the last look; None where the venue tells none.

        After a jump of the machine's clock nobody knows how late it is until the venue was asked: the jump.
        """
        if not self._live:
            return None
        jumped = self._post.clock.jumped_us()
        since_look = jumped - self._looked_jump_us
        if abs(since_look) > SKEW_LIMIT_US:
            return since_look
        told = None if self.findings is None else self.findings.skew_us
        # The machine's clock is a witness too, where the venue is none.
        return jumped if told is None and abs(jumped) > SKEW_LIMIT_US else told

    def why_not_clean(self, instrument: InstrumentId | None = None) -> str:
        """What must be cleared up before a halt of an instrument, or of the account, may end; "" for nothing.

        A difference that is proved halts its instrument alone, so it does not bind the account.
        """
        if self._wrong_account:
            return self._wrong_account
        age = self.reconciled_age_us()
        if self._looked_us is None:
            return "the venue was not compared with the books yet"
        if age is not None and age > OLDEST_LOOK_US:
            limit = OLDEST_LOOK_US // US_PER_S
            return f"the last look at the venue is {age // US_PER_S} s old, limit {limit} s"
        unknown = sum(
            bracket.has_unknown
            for bracket in self._post.brackets.open()
            if instrument in (None, bracket.instrument)
        )
        if unknown:
            return f"{unknown} orders UNKNOWN. Asking the venue."
        open_doubts = (
            doubt.difference.text
            for name, doubt in self._doubts.items()
            if name == instrument or (instrument is None and not doubt.proved)
        )
        return "; ".join(open_doubts)

    def accept(self, instrument: InstrumentId, actor: str) -> bool:
        """A person says that what the venue holds beyond our books is not ours; False: it is not proved.

        Raises StorageError, and nothing is accepted then.
        """
        doubt = self._doubts.get(instrument)
        if doubt is None or not doubt.proved or doubt.difference.unexplained < 0:
            return False
        self._reconciliation.accept(doubt.difference, actor)
        self._doubts = {name: found for name, found in self._doubts.items() if name != instrument}
        return True

    def wake(self) -> None:
        """Look now: the process was stopped and goes on, or a session begins or ends."""
        self._woken.set()

    async def begin(self) -> None:
        """The first look; stops that are missing are on their way after it.

        Raises BrokerError when the venue does not answer, ConfigError when it is another account.
        """
        self._reconciliation.lose_answers()
        await self._look()
        self._post.brackets.review_all()
        if not self._live:
            await self._look()
            self._be_ready()

    async def follow(self) -> None:
        """The venue's stream until it ends. `begin` asks for what came before; after a break this does.

        Raises BrokerError when it ends, and StorageError when a report cannot be written down.
        """
        is_anew, self._has_followed = self._has_followed, True
        updates = self._post.broker.updates()
        if is_anew:
            await self._look()
            if self._doubts and not self._live:
                await self._look()
        self.is_following = True
        self._changed()
        try:
            async for update in updates:
                self._take(update)
        finally:
            self.is_following = False
        raise BrokerError("the venue's update stream ended")

    async def run(self) -> None:
        """Look for ever: often until nothing is in doubt, then by the clock, and whenever it is woken."""
        clock = self._post.clock
        due = clock.now_us() + LOOK_AGAIN_US
        while True:
            await self._until(due)
            self._woken.clear()
            began = clock.now_us()
            due = await self._attempt()
            # What wakes it meanwhile is seen then: no storm of updates makes a storm of questions.
            await asyncio.sleep(max(began + LOOK_GAP_US - clock.now_us(), 0) / US_PER_S)

    async def _until(self, due_us: int) -> None:
        """Wait for the next look, with an eye on the clocks."""
        clock = self._post.clock
        while not self._woken.is_set() and (left := due_us - clock.now_us()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, BEAT_US) / US_PER_S):
                    await self._woken.wait()
            self._notice_jump()
            self._notice_age()
            self._ask_in_flight()

    def _ask_in_flight(self) -> None:
        """One question for each order: it comes through where five for a whole look do not."""
        brackets = self._post.brackets
        for bracket in filter(_is_in_flight, brackets.open()):
            for leg in bracket.of_role(OrderRole.ENTRY, OrderRole.EXIT):
                if leg.state is OrderState.WORKING:
                    brackets.ask(bracket.ticket, leg.id)

    async def _attempt(self) -> int:
        """Look; when the next one is due."""
        try:
            await self._look()
        except BrokerError as error:
            self._failures += 1
            if self._failures == 1:
                text = f"the venue cannot be compared with the books: {error}"
                self._post.alarm(text, False, "reconcile")
            longest = LOOK_EVERY_US if self.is_ready else LOOK_SOON_US
            return self._post.clock.now_us() + min(pause_us(self._failures, self._jitter), longest)
        self._failures = 0
        is_calm = self.is_ready and self._clean_us is not None
        return self._post.clock.now_us() + (LOOK_EVERY_US if is_calm else LOOK_AGAIN_US)

    def _take(self, update: VenueUpdate) -> None:
        order = update.client_order_id
        self._reconciliation.touched(order)
        if self._post.brackets.tell_venue(update):
            return
        if ticket_of(order) is not None:
            self.wake()
            return
        self.foreign_updates += 1
        self._reconciliation.strangers.meet(order, f"{update.instrument}: order {order}")

    async def _look(self) -> None:
        async with self._looking:
            margin = SETTLE_US if self._live and self._looked_us is not None else 0
            try:
                async with asyncio.timeout(ANSWERS_S if self._live else None):
                    findings = await self._reconciliation.look(margin)
            except TimeoutError as error:
                raise BrokerUnavailable(f"the venue did not answer in {ANSWERS_S} s") from error
            except ConfigError as error:
                if self._looked_us is None:
                    raise
                if error.message != self._wrong_account:
                    self._wrong_account = error.message
                    self._post.halt(error.message, None)
                raise BrokerError(error.message, error.hint) from error
            self._judge(findings)

    def _judge(self, findings: Findings) -> None:
        findings = self._follow_wall(findings)
        self._looked_jump_us = self._post.clock.jumped_us()
        now = self._post.clock.now_us()
        self.findings, self._looked_us, self._wrong_account = findings, now, ""
        if self._is_old:
            self._is_old = False
            self._post.alarm("the venue is compared with the books again", False, "reconcile")
        self._notice_skew(findings.skew_us)
        weighed = weigh(self._doubts, findings.differences, now, not self._live)
        self._doubts = weighed.doubts
        for difference in weighed.proved:
            self._prove(difference)
        for name in weighed.settled:
            self._post.alarm(f"{name}: our books and the venue's agree again", False, "reconcile")
        in_doubt = bool(findings.ending) or any(not doubt.proved for doubt in self._doubts.values())
        self._clean_us = None if in_doubt else now if self._clean_us is None else self._clean_us
        is_proved = self._clean_us is not None and now - self._clean_us >= LOOK_AGAIN_US
        if not self.is_ready and self._live and is_proved and not self.uncovered():
            self._be_ready()

    def _prove(self, difference: Difference) -> None:
        self._post.halt(difference.text, difference.instrument)
        self._reconciliation.correct(difference)

    def _be_ready(self) -> None:
        self._ready.set()
        self._changed()

    def uncovered(self) -> tuple[Bracket, ...]:
        """Positions without a stop for every share that are not on their way out either."""
        return tuple(
            bracket
            for bracket in self._post.brackets.open()
            if bracket.phase in (BracketPhase.ENTERING, BracketPhase.PROTECTED)
            and bracket.cover < bracket.held
            and bracket.exit_wanted is None
            and not bracket.restating
        )

    def _notice_age(self) -> None:
        age = self.reconciled_age_us()
        if age is None or age <= OLDEST_LOOK_US or self._is_old:
            return
        self._is_old = True
        held = any(bracket.position for bracket in self._post.brackets.open())
        text = f"the venue was not compared with the books for {age // US_PER_S} s: no new entries"
        self._post.alarm(text, held, "reconcile")

    def _notice_skew(self, skew: int | None) -> None:
        """Told when it becomes bad, worse, and good again."""
        if not self._live or skew is None:
            return
        level = (abs(skew) > SKEW_WARNING_US) + (abs(skew) > SKEW_LIMIT_US)
        if level != self._skew_told:
            self._skew_told = level
            entries = "" if abs(skew) <= SKEW_LIMIT_US else ": no new entries"
            if skew < -SKEW_LIMIT_US:
                entries += " before the machine's clock is right and the engine is restarted"
            text = f"the venue's clock is {skew / US_PER_S:+.3f} s off ours{entries}"
            self._post.alarm(text, False, "clock")

    def _notice_jump(self) -> None:
        """After a suspend or a step of the machine's clock nothing that was known of the venue is fresh."""
        jump = self._post.clock.jumped_us()
        if abs(jump - self._jump_us) <= JUMP_US:
            return
        self._jump_us = jump
        text = f"the machine's clock jumped: it is {jump / US_PER_S:+.1f} s off ours"
        if jump < 0:
            text += ": no new entries before a restart, unless the venue says that our time is right"
        self._post.alarm(text, False, "clock")
        self.wake()

    def _follow_wall(self, findings: Findings) -> Findings:
        """A machine that was suspended is late: its clock is believed when the venue's does not deny it.

        Time never goes back: a clock that was set back stays a difference, and the gate keeps entries out.
        """
        jump, skew = self._post.clock.jumped_us(), findings.skew_us
        if jump <= SKEW_LIMIT_US or (skew is not None and abs(skew - jump) >= abs(skew)):
            return findings
        self._post.clock.follow_wall()
        self._jump_us = 0
        now = self._post.clock.now_us()
        self._doubts = {name: replace(doubt, since_us=now) for name, doubt in self._doubts.items()}
        return findings if skew is None else replace(findings, skew_us=skew - jump)


def _is_in_flight(bracket: Bracket) -> bool:
    """Its entry may fill without a stop that wakes by itself, or it is being sold."""
    if bracket.phase is BracketPhase.ENTERING:
        return not bracket.is_grouped or bracket.held > ZERO
    return bracket.phase is BracketPhase.EXITING
