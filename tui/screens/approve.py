"""The approve dialog: exactly one ticket, its exact text and hash, Cancel in front (design 9)."""

import re
import secrets
from dataclasses import dataclass

from engine.model.candidates import GateStatus, Vote
from engine.model.commands import ApproveTicket
from engine.model.ids import TicketId
from engine.model.positions import AccountKind
from engine.model.text import visible
from engine.model.tickets import ProposalState
from tui import format as fmt
from tui.actions import Place
from tui.screens.arrange import FEWEST_COLUMNS, FEWEST_ROWS, too_small
from tui.screens.chrome import bindings_for
from tui.screens.dialog import GUARD_S, Dialog, Gap, button, key_button
from tui.shown.deck import EventKind, TicketView
from tui.widgets.assessed import ticket_lines
from tui.widgets.ink import EMPTY, Line, Span, break_at_commas, cut, spread, width_of
from tui.widgets.look import Look
from tui.widgets.rail import rail
from tui.widgets.tickets import held_because

CLOSES_S = 60.0
QUOTE_LIMIT_US = 3_000_000
"""How old a quote of a live market may be when the key goes down (SPEC 11.3)."""
FEWEST_ORDER_LINES = 2

STRATEGY_NAMES = {"gaps": "BounceHunter gap"}


@dataclass(frozen=True, slots=True)
class Approval:
    """How the dialog ended: `asked_reject` when the person pressed `r`, else what there is to say."""

    text: str = ""
    ok: bool = False
    asked_reject: bool = False


class ApproveDialog(Dialog[Approval]):
    """Asks the engine itself, so that a moved price can be shown and asked about again."""

    BINDINGS = bindings_for(frozenset({Place.APPROVE}))
    place = Place.APPROVE

    def __init__(self, ticket: TicketView, now: float) -> None:
        super().__init__()
        self._ticket: TicketId = ticket.ticket.id
        self._sha256 = ticket.sha256
        self._shown = ticket
        self._opened = now
        self._armed = now + GUARD_S
        self._asking = False
        self._priced = shown_price(ticket)
        """The price that the person decides on: what was shown first, and anew after it moved."""
        self._shown_us: int | None = None
        self._moved_from: float | None = None
        self._first_line = 0
        self._windowed = False

    def on_mount(self) -> None:
        """The key wakes up 300 ms after the dialog opened."""
        super().on_mount()
        self.set_timer(GUARD_S + 0.02, self.show)

    # What it says.

    def bar_right(self, look: Look) -> str:
        left = self._opened + CLOSES_S - self.console.options.now()
        return f"closes {fmt.countdown(round(max(left, 0) * fmt.US_PER_S))}"

    def tick(self, look: Look) -> None:
        """Once a second: close when the time is over."""
        if self.console.options.now() - self._opened >= CLOSES_S and not self._asking:
            number = self._shown.ticket.number
            text = f"T-{number} not approved: the dialog closed after 60 s."
            current = self._current(look)
            if current is not None:
                left = fmt.countdown(current.ticket.expires_us - look.now_us)
                text += f" The ticket is still waiting, {left}."
            self.dismiss(Approval(text))

    def _current(self, look: Look) -> TicketView | None:
        found = next((item for item in look.view.tickets if item.ticket.id == self._ticket), None)
        return found if found is not None and found.state is ProposalState.PENDING else None

    def why_off(self, look: Look) -> str:
        """Why `a` does nothing now; "" when it approves."""
        now = self.console.options.now()
        current = self._current(look)
        name = f"T-{self._shown.ticket.number}"
        if self._asking:
            return "asked, waiting for the answer"
        if too_small(*self.size):
            return f"the terminal is too small, {FEWEST_COLUMNS}x{FEWEST_ROWS} is needed"
        if self.console.options.view_only:
            return "this console may look, not act"
        if look.detached:
            return "the engine does not answer"
        if current is None:
            return fate(self._shown, look)
        if current.sha256 != self._sha256:
            return f"{name} has changed, open it again"
        if look.view.header.kind is AccountKind.LIVE:
            return "this release approves no live order"
        if why := why_not_now(current, look):
            return why
        if now < self._armed:
            return "ready in 0.3 s"
        return ""

    def dialog_rows(self, look: Look) -> list[Line | Gap]:
        current = self._current(look)
        if current is not None and current.sha256 == self._sha256:
            self._shown = current
        shown, width = self._shown, self.inner_width
        self._note_shown(look)
        prices = rail_rows(shown, look, width)
        before: list[Line | Gap] = [Gap(2), *self._order_rows(shown, look, width), Gap(6)]
        checks, edge = self._check_rows(shown, width), ticket_lines(shown, look, width, wide=self.wide)
        after: list[Line | Gap] = [Gap(5), *checks, *edge, Gap(8)]
        heads, texts = self._exact(shown, width)
        bottom: list[Line | Gap] = [Gap(3), self._buttons(look, width), Gap(7), Gap(9 if self.wide else 10)]
        fixed = sum(not isinstance(row, Gap) for row in before + after + bottom) + len(prices)
        room = self.most_rows - 1 - fixed
        if room < FEWEST_ORDER_LINES + 1:
            prices, room = prices[1:], room + 1
        top = [*before, *prices, *after]
        digest = (Span("sha256 ", "-muted"), Span(fmt.digest(shown.sha256)))
        self._windowed = len(texts) + 1 > room
        if len(texts) + 2 > room:
            short = width_of(heads) + 1 + width_of(digest) > width
            named: Line = (Span("order", "-muted"),) if short else heads
            return [*top, spread(named, digest, width), *self._window(texts, room - 1), *bottom]
        rule = Span("─" * (width - width_of(heads) - 1), "-line")
        return [*top, (*heads, Span(" "), rule), *texts, digest, *bottom]

    def _note_shown(self, look: Look) -> None:
        """When the dialog opened by the engine's clock, and the price of the look after a move."""
        if self._shown_us is None:
            self._shown_us = look.now_us
        if self._priced is None and self.console.options.now() >= self._armed:
            self._priced = shown_price(self._shown)

    def _window(self, texts: list[Line], room: int) -> list[Line]:
        """As many lines of the exact order as fit; the last says where the rest is."""
        room = max(room, FEWEST_ORDER_LINES)
        if len(texts) <= room:
            return texts
        self._first_line = min(self._first_line, len(texts) - room + 1)
        part = texts[self._first_line : self._first_line + room - 1]
        first, last = self._first_line + 1, self._first_line + len(part)
        return [
            *part,
            (
                Span(f"lines {first}–{last} of {len(texts)}  ", "-attention"),
                Span("j k", "-accent -bold"),
                Span(" scroll", "-muted"),
            ),
        ]

    def _exact(self, shown: TicketView, width: int) -> tuple[Line, list[Line]]:
        lines = break_at_commas(visible(shown.order_text), width)
        return (Span("exact order", "-muted"),), [(Span(line),) for line in lines]

    def _order_rows(self, shown: TicketView, look: Look, width: int) -> list[Line | Gap]:
        ticket = shown.ticket
        votes = [report.vote for report in ticket.reports if report.vote is not Vote.ABSTAIN]
        yes = sum(vote is Vote.APPROVE for vote in votes)
        strategy = STRATEGY_NAMES.get(ticket.strategy, ticket.strategy)
        expires = fmt.countdown(ticket.expires_us - look.now_us)
        gap = next((row for row in look.view.gaps if row.ticket == ticket.id), None)
        name = Span(f"Approve T-{ticket.number}", "-strong")
        voted = f"   {strategy}, {yes} of {len(votes)} agents"
        until: Line = (Span("expires ", "-muted"), Span(expires, "-yours -bold"))
        value = ""
        if gap is not None and gap.ev_ratio is not None:
            value = f", exp. value {fmt.signed_percent(gap.ev_ratio)}"
        if len(name.text) + len(voted) + len(value) + 1 + width_of(until) > width:
            value = ""
        if len(name.text) + len(voted) + 1 + width_of(until) > width:
            voted = f"   {yes} of {len(votes)} agents"
        title = spread((name, Span(voted + value, "-muted")), until, width)
        loss = (f"▼ {fmt.signed_money(shown.loss_at_stop)}", "-down", shown.loss_ratio)
        equity = float(ticket.equity)
        gain_ratio = float(shown.gain_at_target) / equity if equity > 0 else None
        gain = (f"▲ {fmt.signed_money(shown.gain_at_target)}", "-up", gain_ratio)
        money = max(len(loss[0]), len(gain[0]))
        share = max(len(fmt.risk_percent(item[2])) for item in (loss, gain))
        legs = []
        exits = aligned_exits(shown.order_words[1], shown.order_words[2])
        longest = len("then  ") + max(len(words) for words in exits)
        for lead, words, (text, ink, ratio) in zip(("then  ", "  or  "), exits, (loss, gain), strict=True):
            percent = fmt.risk_percent(ratio).rjust(share)
            # No price gives way to the words beside it.
            tails = (f"   {percent} of equity", f"  {percent}", "")
            tail = next((tail for tail in tails if longest + 1 + money + len(tail) <= width), "")
            right = (Span(text.ljust(money), ink), Span(tail, "-muted"))
            legs.append(spread((Span(lead, "-muted"), *_inked(words)), right, width))
        pays = (
            Span("pays up to ", "-muted"),
            Span(f"{fmt.money(shown.value)} {look.view.header.currency}", "-strong"),
        )
        first, _, rest = shown.order_words[0].partition("  ")
        entry = spread((Span(first, "-strong"), Span("  "), *_inked(rest)), pays, width)
        return [title, Gap(9), entry, *legs]

    def _check_rows(self, shown: TicketView, width: int) -> list[Line | Gap]:
        ticket = shown.ticket
        passed = sum(gate.status is GateStatus.PASS for gate in ticket.gates)
        failed = sum(gate.status is GateStatus.FAIL for gate in ticket.gates)
        absent = len(ticket.gates) - passed - failed
        mark, ink = ("■", "-danger") if failed else ("●", "-up")
        count = f"{passed} of {len(ticket.gates)}"
        line: Line = (Span("checks ", "-muted"), Span(f"{mark} ", ink), Span(count, ink))
        if absent:
            line = (*line, Span(f", {absent} n/a", "-muted"))
        bound: Line = (Span("   size bound by ", "-muted"), Span(ticket.size_binding))
        cash: Line = (Span("   cash after ", "-muted"), Span(fmt.money(ticket.cash_after)))
        if width_of(line) + width_of(bound) + width_of(cash) <= width:
            return [(*line, *bound, *cash)]
        if width_of(line) + width_of(bound) > width:
            return [line, cut((Span("size bound by ", "-muted"), bound[1], *cash), width)]
        return [(*line, *bound), (Span("cash after ", "-muted"), cash[1])] if self.wide else [(*line, *bound)]

    def _buttons(self, look: Look, width: int) -> Line:
        off = self.why_off(look)
        approve = key_button("a", "approve", off=bool(off))
        line: Line = (*button("Cancel", default=True), Span("   "), *approve, Span("   "))
        line = (*line, *key_button("r", "reject"))
        if self._moved_from is not None and not off:
            moved = moved_words(self._moved_from, self._priced, width - width_of(line) - 2)
            return spread(line, (Span(moved, "-attention -bold"),), width, gap=2)
        if off:
            return spread(line, (Span(cut_reason(off, width - width_of(line) - 3), "-attention"),), width)
        return spread(line, (Span("enter = cancel", "-muted"),) if self.wide else (), width)

    def footer_line(self, look: Look, room: int) -> Line:
        off = self.why_off(look)
        if off:
            return cut((Span("a", "-faint"), Span(f" is off: {off}", "-attention")), room)
        now: Line = (Span("a", "-accent -bold"), Span(" approve now   ", "-muted"))
        return cut((*now, Span("any other key: nothing happens", "-muted")), room)

    # What it does.

    def action_approve(self) -> None:
        """Give the approval of exactly the hash that is shown."""
        look = self.console.look()
        if look is None:
            return
        now = self.console.options.now()
        off = self.why_off(look)
        if now < self._armed:
            # A key held down repeats itself: it is let go before it approves.
            self._sleep(now)
        if off and not self._is_decided(look):
            self.refuse("a", off)
            return
        # Of a ticket that is decided already the engine says by whom and when; it acts on it only once.
        self._asking = True
        self.run_worker(self._ask(self._priced), exclusive=True)
        self.show()

    def _is_decided(self, look: Look) -> bool:
        """Whether nothing but the fate of the ticket stands against the key."""
        return (
            self._current(look) is None
            and self.console.options.now() >= self._armed
            and self.why_off(look) == fate(self._shown, look)
        )

    async def _ask(self, price: float | None) -> None:
        nonce, actor = secrets.token_hex(16), self.console.actor
        command = ApproveTicket(self._ticket, self._sha256, nonce, price, actor, self._shown_us)
        answer = await self.console.give(command)
        self._asking = False
        if answer.ok or answer.code != "price_moved":
            self.dismiss(Approval(answer.text, answer.ok))
            return
        self._moved_from, self._priced = price, None
        self._sleep(self.console.options.now())
        self.refuse("a", answer.text)

    def _sleep(self, now: float) -> None:
        self._armed = now + GUARD_S
        self.set_timer(GUARD_S + 0.02, self.show)

    def action_reject(self) -> None:
        """On to the reasons; no dialog stands on a dialog."""
        if not self._asking:
            self.dismiss(Approval(asked_reject=True))

    def action_row_down(self) -> None:
        """Scroll the exact order."""
        self._first_line += 1
        self.show()

    def action_row_up(self) -> None:
        """Scroll the exact order."""
        self._first_line = max(self._first_line - 1, 0)
        self.show()


def why_not_now(ticket: TicketView, look: Look) -> str:
    """Why nobody may decide on what is shown of a ticket that waits; "" when they may."""
    if look.now_us >= ticket.ticket.expires_us:
        return f"T-{ticket.ticket.number} has expired"
    if held := held_because(ticket, look):
        return held
    if (age := _quote_age(ticket, look)) is not None and age > QUOTE_LIMIT_US:
        limit = QUOTE_LIMIT_US // fmt.US_PER_S
        return f"quote is {fmt.age(age).removesuffix('s')} s old, limit {limit} s"
    return ""


def _quote_age(ticket: TicketView, look: Look) -> int | None:
    """Only a live market's quote ages between two pictures; the engine judges the others."""
    if look.view.header.market.provenance != "live" or ticket.quote_us is None:
        return None
    return look.now_us - ticket.quote_us


def fate(ticket: TicketView, look: Look) -> str:
    """What became of a ticket that no longer waits: `T-18 ORVX approved by nina on pts/7, 14:51:40Z`."""
    name = f"T-{ticket.ticket.number}"
    for event in look.view.events:
        ours = event.correlation == ticket.ticket.correlation and event.text.startswith(f"{name} ")
        if ours and event.kind is not EventKind.YOURS:
            return f"{event.text}, {fmt.clock_utc(event.ts)}"
    return f"{name} is no longer waiting"


def shown_price(ticket: TicketView) -> float | None:
    """The price a buyer looks at: the ask, else the last price."""
    return ticket.last if ticket.ask is None else ticket.ask


def moved_words(old: float, new: float | None, room: int) -> str:
    """`price moved 8.33 to 8.47: a again`; without the prices where there is no room for both."""
    words = "" if new is None else f"price moved {fmt.price(old)} to {fmt.price(new)}: a again"
    return words if words and len(words) <= room else "price moved: a again"


def cut_reason(reason: str, room: int) -> str:
    """A reason beside its key; what does not fit stands in the footer."""
    return reason if len(reason) <= room else ""


def rail_rows(shown: TicketView, look: Look, width: int) -> list[Line]:
    """Where the price stands between stop and target, and how old it is."""
    order = shown.ticket.order
    stop, target = order.stop.stop_price, order.target.limit_price
    if stop is None or target is None:
        return [EMPTY]
    limit = None if order.entry is None else order.entry.limit_price
    parts = []
    for name, value in (("bid", shown.bid), ("ask", shown.ask)):
        if value is not None:
            parts.append(f"{name} {fmt.price(value)}")
    if not parts and shown.last is not None:
        parts.append(f"last {fmt.price(shown.last)}")
    quote: Line = (Span("  ".join(parts) or "no quote"),)
    if shown.quote_us is not None:
        age = fmt.age(look.now_us - shown.quote_us)
        quote = (*quote, Span(f"  {age[:-1]} {age[-1]}", "-muted"))
    low, high = Span(fmt.price(stop), "-down"), Span(fmt.price(target), "-up")
    space = width - len(low.text) - len(high.text) - width_of(quote)
    left = max(space * 2 // 3, 1)
    return [
        rail(width, stop, target, limit, shown.last if shown.last is not None else shown_price(shown)),
        (low, Span(" " * left), *quote, Span(" " * max(space - left, 1)), high),
    ]


_EXIT = re.compile(r"(?P<lead>.*?)(?P<name>stop|target) +(?P<price>[0-9.,]+)(?P<tail>.*)")


def aligned_exits(stop: str, target: str) -> tuple[str, str]:
    """The words of both exits with their prices below each other: `stop   7.70`, `target 8.87`."""
    found = [_EXIT.fullmatch(words) for words in (stop, target)]
    if found[0] is None or found[1] is None:
        return stop, target
    names = max(len(match["name"]) for match in found if match)
    prices = max(len(match["price"]) for match in found if match)
    first, second = (
        f"{match['lead']}{match['name'].ljust(names)} {match['price'].rjust(prices)}{match['tail']}"
        for match in found
        if match
    )
    return first, second


def _inked(words: str) -> Line:
    """Numbers in the order's words stand out, the rest is muted."""
    return tuple(
        Span(part, "" if re.search(r"\d", part) else "-muted") for part in re.split(r"(\s+)", words) if part
    )
