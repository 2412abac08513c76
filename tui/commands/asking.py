"""How a command reaches an engine: through the socket of the state folder, or its databases."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import typer

from engine.errors import Busy, DataError, UsageError
from tui.commands.common import Given, me
from tui.commands.output import keeping, say, write_json, write_line

if TYPE_CHECKING:
    from decimal import Decimal

    from engine.model.commands import Answer, Command
    from tui.link import Link
    from tui.shown.deck import DeckView, TicketView

T = TypeVar("T")
RETRY_CODES = frozenset(
    {
        "price_moved",
        "dialog_expired",
        "halted",
        "not_ready",
        "not_reconciled",
        "rate_limited",
        "detached",
        "unknown_outcome",
    }
)
"""Answers after which the same command may work later: exit 75. `view_only` is 78, every other refusal 65."""
_NAME = re.compile(r"(?:T-)?(?P<number>\d{1,9})|(?:td-?)?(?P<ulid>[0-9A-HJKMNP-TV-Z]{4,26})", re.IGNORECASE)


def exit_code(answer: "Answer") -> int:
    """How a command ends that was answered so."""
    if answer.ok:
        return 0
    if answer.code in RETRY_CODES:
        return 75
    return 78 if answer.code == "view_only" else 65


def end(answer: "Answer", as_json: bool, about: Mapping[str, object] | None = None) -> None:
    """Show the answer, in JSON with what it was `about`, and leave with its exit code."""
    from engine.model.text import clean  # keeps --help quick

    if as_json:
        write_json({"ok": answer.ok, "code": answer.code, "text": answer.text, **(about or {})})
    elif answer.ok:
        write_line(clean(answer.text))
    else:
        say(clean(answer.text))
    if not answer.ok:
        raise typer.Exit(exit_code(answer))


def read_books(given: Given, question: str) -> object:
    """A document from the engine that runs on the state; from its databases when none does."""
    from tui.link import Question  # keeps --help quick
    from tui.stored import read_books as read_stored

    asked = Question(question)

    async def ask(link: "Link") -> object:
        return await link.ask(asked)

    paths = given.paths
    reached, document = _with_link(given, ask)
    return document if reached else read_stored(paths, asked)


def with_engine(given: Given, use: Callable[["Link"], Awaitable[T]]) -> T:
    """What `use` makes of the engine that runs on the state. Raises Busy when none runs."""
    reached, result = _with_link(given, use)
    if not reached or result is None:
        from storage.lock import lock_holder  # keeps --help quick

        paths = given.paths
        holder = lock_holder(paths.lock)
        if holder is not None:
            raise Busy(f"process {holder} runs on {paths.folder} and cannot be asked now", "Try again")
        raise Busy(
            f"no engine runs on {given.paths.folder}",
            "Name its state with --state DIR, or --state latest for the newest replay or demo; to start one:"
            " tradedeck --no-ui --replay DATE",
        )
    return result


def _with_link(given: Given, use: Callable[["Link"], Awaitable[T]]) -> tuple[bool, T | None]:
    path = given.paths.socket
    if not path.exists():
        return False, None

    import asyncio  # 30 ms that --help need not wait for

    async def go() -> tuple[bool, T | None]:
        from tui.server.client import attach  # websockets and msgspec: 0.1 s

        link = await attach(path)
        if link is None:
            return False, None
        try:
            return True, await use(link)
        finally:
            await link.close()

    return asyncio.run(go())


@dataclass(frozen=True, slots=True)
class Shown:
    """A waiting ticket, and when the engine showed it (int microseconds of its clock)."""

    ticket: "TicketView"
    shown_us: int


def find_ticket(given: Given, name: str) -> Shown:
    """The waiting ticket named T-18, 18, by its ULID or by td- and its start.

    Raises UsageError for a name that no ticket has, DataError for a ticket that does not wait.
    """
    from tui.link import Question  # keeps --help quick

    match = _NAME.fullmatch(name.strip())
    if match is None:
        raise UsageError(f"{name!r} is not the id of a ticket", "Write it like T-18 or td-01JD4Q9M7A")

    async def look(link: "Link") -> tuple["DeckView", object]:
        return await link.deck(), await link.ask(Question.PROPOSALS)

    def is_meant(number: int, ulid: str) -> bool:
        return number == int(match["number"]) if match["number"] else ulid.startswith(match["ulid"].upper())

    view, proposals = with_engine(given, look)
    found = [shown for shown in view.tickets if is_meant(shown.ticket.number, shown.ticket.id)]
    if len(found) == 1:
        return Shown(found[0], view.header.now_us)
    names = ", ".join(f"T-{shown.ticket.number}" for shown in view.tickets) or "none"
    for row in proposals if isinstance(proposals, list) and not found else ():
        if is_meant(int(row["number"].removeprefix("T-")), row["ticket"]):
            raise DataError(f"{row['number']} does not wait, it is {row['state']}", f"Waiting now: {names}")
    why = "no ticket is" if not found else f"{len(found)} tickets are"
    raise UsageError(f"{why} named {name}", f"Waiting now: {names}")


def approve(given: Given, shown: Shown, *, was_read: bool) -> "Answer":
    """Approve exactly the ticket that was shown.

    `was_read`: a person read it in this command, so that its price and its age count from then. A hash that
    was typed is held against the price of the decision.
    """
    import secrets  # keeps --help quick

    from engine.model.commands import ApproveTicket  # keeps --help quick

    nonce, view = secrets.token_hex(16), shown.ticket
    price, shown_us = None, None
    if was_read:
        price, shown_us = view.last if view.ask is None else view.ask, shown.shown_us
    return _give(given, ApproveTicket(view.ticket.id, view.sha256, nonce, price, me(), shown_us))


def reject(given: Given, shown: "TicketView", reason: str) -> "Answer":
    """Refuse a ticket."""
    from engine.model.commands import RejectTicket  # keeps --help quick

    return _give(given, RejectTicket(shown.ticket.id, reason, me()))


def shrink(given: Given, shown: "TicketView", quantity: "Decimal") -> "Answer":
    """Make exactly the ticket that was shown smaller."""
    from engine.model.commands import ShrinkTicket  # keeps --help quick

    return _give(given, ShrinkTicket(shown.ticket.id, shown.sha256, quantity, me()))


def snooze(given: Given, shown: "TicketView") -> "Answer":
    """Put a ticket out of sight for a while."""
    from engine.model.commands import SnoozeTicket  # keeps --help quick

    return _give(given, SnoozeTicket(shown.ticket.id, me()))


def halt(given: Given, reason: str, *, flatten: bool = False) -> "Answer":
    """Stop new orders, and sell every position when `flatten`."""
    from engine.model.commands import Halt  # keeps --help quick

    try:
        return _give(given, Halt(me(), reason, flatten))
    except Busy as error:
        hint = f"To halt what runs there, now or at its next start: touch {given.paths.halt_file}"
        raise Busy(error.message, f"{hint}. To name another state: --state DIR, or --state latest") from error


def resume(given: Given) -> "Answer":
    """Trade again."""
    from engine.model.commands import Resume  # keeps --help quick

    return _give(given, Resume(me()))


def release(given: Given, symbol: str, *, accept: bool = False) -> "Answer":
    """Trade a halted symbol again; `accept`: what the venue holds of it beyond our books is not ours.

    Raises UsageError where the name is no symbol, or means two.
    """
    from engine.model.commands import AcceptDifference, ResumeSymbol  # keeps --help quick
    from engine.model.ids import InstrumentId, instrument_id, symbol_of
    from tui.link import Question

    async def halted(link: "Link") -> object:
        return await link.ask(Question.STATUS)

    typed = symbol.strip().upper()
    status = with_engine(given, halted)
    names = status["halted_symbols"] if isinstance(status, dict) else {}
    meant = [name for name in names if typed in (name, symbol_of(InstrumentId(name)))]
    if len(meant) > 1:
        raise UsageError(f"{typed} is halted at {len(meant)} venues", f"Name one: {', '.join(meant)}")
    try:
        instrument = InstrumentId(meant[0]) if meant else instrument_id(typed)
    except ValueError as error:
        raise UsageError(
            f"{symbol!r} is not a symbol", "Look at halted_symbols of tradedeck status"
        ) from error
    return _give(given, (AcceptDifference if accept else ResumeSymbol)(me(), instrument))


def steer(given: Given, agent: str, move: str) -> "Answer":
    """Start, pause, resume or stop one agent."""
    from engine.model.commands import AgentMove, SteerAgent  # keeps --help quick

    return _give(given, SteerAgent(agent.strip().lower(), AgentMove(move), me()))


def waive(given: Given, strategy: str, phrase: str) -> "Answer":
    """Let a strategy trade real money without evidence of an edge."""
    from engine.model.commands import WaiveEvidence  # keeps --help quick
    from engine.model.ids import StrategyName

    return _give(given, WaiveEvidence(StrategyName(strategy), phrase, me()))


def release_breaker(given: Given, account: str) -> "Answer":
    """Lift the drawdown stop of the account whose name was typed."""
    from engine.model.commands import ReleaseBreaker  # keeps --help quick

    return _give(given, ReleaseBreaker(me(), account))


def settle(given: Given, difference: "Decimal", reason: str) -> "Answer":
    """Book a deposit or a withdrawal."""
    from engine.model.commands import Settle  # keeps --help quick

    return _give(given, Settle(me(), difference, reason))


def give_if_running(given: Given, command: "Command") -> "Answer | None":
    """The engine's answer; None where none runs on the state."""
    return _with_link(given, lambda link: link.give(command))[1]


def _give(given: Given, command: "Command") -> "Answer":
    with keeping("The engine may have carried it out: look with tradedeck status and tradedeck proposals"):
        return with_engine(given, lambda link: link.give(command))
