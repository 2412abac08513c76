"""The approval queue, the books and the kill switch from the shell."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import DataError, UsageError
from tui.commands import asking
from tui.commands.common import ConfigOption, Given, JsonOption, StateOption, given
from tui.commands.output import (
    Column,
    Stopped,
    keeping,
    say,
    write_fields,
    write_json,
    write_table,
)

if TYPE_CHECKING:
    from engine.model.commands import Answer
    from tui.shown.deck import TicketView

SHA_PREFIX_MIN = 8
FLATTEN = "FLATTEN"
HALT_REASON = "tradedeck halt"
TicketArgument = Annotated[
    str, typer.Argument(metavar="ID", help="T-18, 18, or td- and the start of its id.")
]

PROPOSALS = (
    Column("number", "ticket"),
    Column("state", "state"),
    Column("symbol", "symbol"),
    Column("quantity", "qty"),
    Column("limit_price", "limit", "price"),
    Column("stop_price", "stop", "price"),
    Column("target_price", "target", "price"),
    Column("sha8", "sha256"),
    Column("reason", "reason"),
)
ORDERS = (
    Column("bracket", "bracket"),
    Column("symbol", "symbol"),
    Column("role", "role"),
    Column("side", "side"),
    Column("type", "type"),
    Column("quantity", "qty"),
    Column("filled", "filled"),
    Column("price", "price", "price"),
    Column("state", "state"),
    Column("client_order_id", "id"),
)
POSITIONS = (
    Column("bracket", "bracket"),
    Column("symbol", "symbol"),
    Column("quantity", "qty"),
    Column("at_venue", "at venue"),
    Column("protected", "protected"),
    Column("stop_price", "stop", "price"),
    Column("target_price", "target", "price"),
    Column("last_price", "last", "price"),
    Column("sessions_held", "sessions"),
    Column("max_sessions", "of"),
)
ROUND_TRIPS = (
    Column("bracket", "bracket"),
    Column("symbol", "symbol"),
    Column("session", "entered"),
    Column("quantity", "qty"),
    Column("entry_price", "entry", "average"),
    Column("exit_price", "exit", "average"),
    Column("exit_reason", "reason"),
    Column("sessions", "sessions"),
    Column("pnl", "pnl", "signed_money"),
    Column("fees", "fees", "money"),
)

SOURCES = (
    Column("name", "source"),
    Column("word", "state"),
    Column("age", "age"),
    Column("limit", "limit"),
    Column("messages", "messages"),
    Column("note", "note"),
)
PULSE = (
    Column("name", "engine"),
    Column("figure", "now"),
    Column("limit", "limit"),
    Column("ok", "ok"),
)


JOBS = (
    Column("name", "job"),
    Column("next", "next"),
    Column("last", "last"),
    Column("word", "result"),
    Column("failures", "failures"),
    Column("last_words", "words"),
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("proposals")(proposals)
    app.command("approve")(approve)
    app.command("reject")(reject)
    app.command("smaller")(smaller)
    app.command("snooze")(snooze)
    app.command("orders")(orders)
    app.command("positions")(positions)
    app.command("round-trips")(round_trips)
    app.command("status")(status)
    app.command("health")(health)
    app.command("halt")(halt)
    app.command("resume")(resume)


def proposals(
    context: typer.Context,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Tickets and what became of them."""
    _show("proposals", given(context, config, state), as_json, PROPOSALS)


def orders(
    context: typer.Context,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Every order of the open brackets, and of those that began in this session."""
    _show("orders", given(context, config, state), as_json, ORDERS)


def positions(
    context: typer.Context,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """What is held, and how it is protected."""
    _show("positions", given(context, config, state), as_json, POSITIONS)


def round_trips(
    context: typer.Context,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Finished trades."""
    _show("round-trips", given(context, config, state), as_json, ROUND_TRIPS)


def status(
    context: typer.Context,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """One look at the engine."""
    document = asking.read_books(given(context, config, state), "status")
    if as_json:
        write_json(document)
    elif isinstance(document, Mapping):
        jobs = document["jobs"]
        write_fields(_with_times({key: value for key, value in document.items() if key != "jobs"}))
        if jobs:
            write_table([_timed(row) for row in jobs], JOBS)


def _timed(row: Mapping[str, Any]) -> dict[str, Any]:
    from tui import format  # keeps --help quick

    def at(ts: int | None) -> str | None:
        return None if ts is None else f"{format.date_utc(ts)} {format.clock_utc(ts)}"

    word = "running" if row["running_us"] is not None else row["last_result"]
    return {**row, "next": at(row["next_us"]), "last": at(row["last_us"]), "word": word}


def health(
    context: typer.Context,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Sources of data, and the engine's own pulse: loop, journal, audit log, disk, memory."""
    document = asking.read_books(given(context, config, state), "health")
    if as_json:
        write_json(document)
    elif isinstance(document, Mapping):
        if document["sources"]:
            write_table([_aged(row) for row in document["sources"]], SOURCES)
        write_table(document["engine"], PULSE)


def _aged(row: Mapping[str, Any]) -> dict[str, Any]:
    from tui import format  # keeps --help quick

    return {**row, "age": format.age(row["age_us"]), "limit": format.age(row["max_age_us"])}


def approve(
    context: typer.Context,
    ticket: TicketArgument,
    sha: Annotated[
        str | None,
        typer.Option("--sha", metavar="PREFIX", help="First 8 or more characters of the ticket's sha256."),
    ] = None,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Approve exactly one ticket: by its hash, or after its order was shown here."""
    at = given(context, config, state)
    if sha is None and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "approve needs a terminal to show the order in, or --sha with the ticket's hash",
            "Look at it with tradedeck proposals --json, then add --sha and its first 8 characters",
        )
    if sha is not None and (len(sha) < SHA_PREFIX_MIN or not _is_hex(sha)):
        raise UsageError(f"--sha {sha!r} is not 8 or more characters of a sha256", "Copy it from proposals")
    found = asking.find_ticket(at, ticket)
    shown = found.ticket
    name = f"T-{shown.ticket.number}"
    if sha is not None and not shown.sha256.startswith(sha.lower()):
        raise DataError(
            f"{name} has the hash {shown.sha256[:SHA_PREFIX_MIN]}, not {sha}: not approved",
            "Look at the order again, it is not the one this hash was made of",
        )
    if sha is None:
        with keeping(f"{name} was not approved, it is still waiting"):
            _show_order(shown)
            if not typer.confirm(f"Approve {name}?", default=False, err=True):
                say(f"{name} was not approved, it is still waiting")
                return
    _end(asking.approve(at, found, was_read=sha is None), shown, as_json)


def reject(
    context: typer.Context,
    ticket: TicketArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept in the audit log.")],
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Refuse a ticket with a reason."""
    from engine.model.text import clean  # keeps --help quick

    if not clean(reason).strip():
        raise UsageError("--reason is empty", "Say why in a few words")
    at = given(context, config, state)
    shown = asking.find_ticket(at, ticket).ticket
    _end(asking.reject(at, shown, reason), shown, as_json)


def smaller(
    context: typer.Context,
    ticket: TicketArgument,
    shares: Annotated[
        int, typer.Option("--shares", metavar="N", min=1, help="How many it is to be: fewer than now.")
    ],
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a ticket smaller: another one with fewer shares waits in its place."""
    at = given(context, config, state)
    shown = asking.find_ticket(at, ticket).ticket
    _end(asking.shrink(at, shown, Decimal(shares)), shown, as_json)


def snooze(
    context: typer.Context,
    ticket: TicketArgument,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Put a ticket out of sight for five minutes."""
    at = given(context, config, state)
    shown = asking.find_ticket(at, ticket).ticket
    _end(asking.snooze(at, shown), shown, as_json)


def halt(
    context: typer.Context,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Shown and kept.")] = HALT_REASON,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Sell every position too; asks for the word FLATTEN.")
    ] = False,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """The kill switch: no new orders; working entries are cancelled, stops stay."""
    at = given(context, config, state)
    from engine.model.text import clean  # keeps --help quick

    # A halt is never refused for its words.
    why = clean(reason).strip() or HALT_REASON
    _end(asking.halt(at, why, flatten=flatten and _typed_flatten()), None, as_json)


def resume(
    context: typer.Context,
    symbol: Annotated[
        str | None, typer.Argument(metavar="SYMBOL", help="Release this halted symbol, not the account.")
    ] = None,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="What the venue holds of SYMBOL beyond our books is not ours."),
    ] = False,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Trade again after a halt, once reconciliation is clean."""
    at = given(context, config, state)
    if accept and symbol is None:
        raise UsageError("resume --accept needs the symbol", "Name the one that is halted")
    answer = asking.resume(at) if symbol is None else asking.release(at, symbol, accept=accept)
    _end(answer, None, as_json)


def _typed_flatten() -> bool:
    """True once the person typed the word. Raises UsageError without a terminal, Stopped for another word."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"halt --flatten sells every position and asks for the word {FLATTEN}: it needs a terminal",
            "Without one, use tradedeck halt: no new orders, every position keeps its stop",
        )
    kept = "Nothing was halted or sold. To halt and keep the stops: tradedeck halt"
    with keeping(kept):
        say("This halts the account and sells every position at the market.")
        if typer.prompt(f"Type {FLATTEN} to do it", default="", show_default=False, err=True) != FLATTEN:
            raise Stopped(kept)
    return True


def _show(question: str, at: Given, as_json: bool, columns: Sequence[Column]) -> None:
    document = asking.read_books(at, question)
    if as_json:
        write_json(document)
        return
    rows = list(_rows(document))
    if rows:
        write_table(rows, columns)
    else:
        say(f"no {question.replace('-', ' ')}")


def _with_times(document: Mapping[str, Any]) -> dict[str, object]:
    """Microseconds become times that a person reads, amounts get their two decimals."""
    from tui import format  # keeps --help quick

    looks: dict[str, Callable[[Any], str]] = {
        "equity": lambda value: format.money(Decimal(value)),
        "cash": lambda value: format.money(Decimal(value)),
        "day_pnl": lambda value: format.signed_money(Decimal(value)),
        "drawdown_ratio": format.percent,
        "agents": _agents_words,
        "strategies": _strategies_words,
    }

    def shown(key: str, value: Any) -> object:
        if key.endswith("_us"):
            return f"{format.date_utc(value)} {format.clock_utc(value)}"
        return looks[key](value) if key in looks and value is not None else _in_a_line(value)

    return {key.removesuffix("_us").removesuffix("_ratio"): shown(key, document[key]) for key in document}


def _agents_words(agents: Sequence[Mapping[str, Any]]) -> str:
    """`8 of 8 running`, and what the others are."""
    others = [f"{each['name']} {each['state']}" for each in agents if each["state"] != "running"]
    running = f"{len(agents) - len(others)} of {len(agents)} running"
    return "; ".join([running, *others])


def _strategies_words(found: Mapping[str, Mapping[str, Any]]) -> str:
    """`gaps: full (why)`, and why one is frozen."""
    words = []
    for name, about in found.items():
        rule = f" {about['rule']} ({about['why']})" if "rule" in about else ""
        frozen = f", frozen: {about['frozen']}" if about["frozen"] else ""
        words.append(f"{name}:{rule} stage {about['stage']}{frozen}")
    return "; ".join(words)


def _in_a_line(value: object) -> object:
    """`ABC: reason; XYZ: reason` of a mapping, `first; second` of a list."""
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if not isinstance(value, Mapping):
        return value
    return "; ".join(f"{name}: {words}" for name, words in value.items())


def _rows(document: object) -> Iterator[dict[str, Any]]:
    """The rows of a table; the orders of a bracket become rows of their own."""
    for row in document if isinstance(document, list) else ():
        if "sha256" in row:
            yield row | {"sha8": row["sha256"][:SHA_PREFIX_MIN]}
        elif "orders" in row:
            for order in row["orders"]:
                yield row | order | {"price": order["limit_price"] or order["stop_price"]}
        else:
            yield row


def _show_order(shown: "TicketView") -> None:
    from engine.model.text import clean, visible  # keeps --help quick
    from tui import format

    ticket = shown.ticket
    say(f"T-{ticket.number}  {ticket.strategy}  account {clean(ticket.account)}")
    for words in shown.order_words:
        say(f"  {clean(words)}")
    loss, gain = format.signed_money(shown.loss_at_stop), format.signed_money(shown.gain_at_target)
    say(f"  loss at the stop {loss} (more when the price opens below it), gain at target {gain}")
    say(f"  expires {format.clock_utc(ticket.expires_us)}")
    if shown.held_reason:
        say(f"  held: {clean(shown.held_reason)}")
    say(visible(shown.order_text))
    say(f"sha256 {shown.sha256}")


def _end(answer: "Answer", shown: "TicketView | None", as_json: bool) -> None:
    about = {} if shown is None else {"ticket": shown.ticket.id, "sha256": shown.sha256}
    asking.end(answer, as_json, about)


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdefABCDEF" for character in text)
