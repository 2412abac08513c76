"""What an emergency shutdown writes down for a person: account, positions, brackets, orders and reasons."""

from collections.abc import Callable, Mapping, Sequence

from engine.execution.books import Books
from engine.execution.bracket import Bracket
from engine.execution.halts import Halts
from engine.execution.shutdown import Shutdown
from engine.model.ids import InstrumentId, symbol_of
from engine.model.positions import AccountSnapshot
from engine.model.tickets import to_plain
from engine.money import ZERO


def snapshot(
    shutdown: Shutdown,
    now_us: int,
    halts: Halts,
    books: Books,
    brackets: Sequence[Bracket],
    last: Callable[[InstrumentId], float | None],
    venue: AccountSnapshot | str,
) -> Mapping[str, object]:
    """A JSON-able document. `venue`: its own account, or why it could not be asked."""
    symbols = {scope: to_plain(halted) for scope, halted in halts.symbols().items()}
    return {
        "what": "tradedeck emergency shutdown",
        "written_us": now_us,
        "shutdown": to_plain(shutdown),
        "halted": {"account": to_plain(halts.account), "symbols": symbols},
        "account": {
            "cash": to_plain(books.cash),
            "venue": {"not_asked": venue} if isinstance(venue, str) else to_plain(venue),
        },
        "positions": [_position(bracket, last) for bracket in brackets if bracket.position != ZERO],
        "brackets": [to_plain(bracket) for bracket in brackets],
    }


def _position(bracket: Bracket, last: Callable[[InstrumentId], float | None]) -> dict[str, object]:
    return {
        "bracket": f"B-{bracket.number}",
        "symbol": symbol_of(bracket.instrument),
        "quantity": to_plain(bracket.position),
        "under_a_stop": to_plain(bracket.cover),
        "stop_price": to_plain(bracket.stop_now),
        "last_price": last(bracket.instrument),
        "phase": bracket.phase.value,
        "exit_wanted": to_plain(bracket.exit_wanted),
    }
