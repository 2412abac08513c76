"""Which cells light up because their number changed: once, for 400 ms, at most 20 a tick (design 7)."""

FLASH_S = 0.4
MOST_PER_TICK = 20


class Flashes:
    """Remembers the last number of each visible cell, how it read, and until when it stays lit."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._values: dict[tuple[str, str], tuple[float, str]] = {}
        self._lit: dict[tuple[str, str], tuple[str, float]] = {}
        self._started = 0

    def begin_tick(self) -> None:
        """A new picture arrived: twenty cells may light up again."""
        self._started = 0

    def ink(self, row: str, cell: str, value: float | None, text: str, now: float) -> str:
        """The ink to lay over a cell, "" for none.

        A first or missing value never lights up, nor does one that still reads the same.
        """
        if not self._enabled or value is None:
            return ""
        key = (row, cell)
        before = self._values.get(key)
        self._values[key] = (value, text)
        is_changed = before is not None and before[0] != value and before[1] != text
        if before is not None and is_changed and self._started < MOST_PER_TICK:
            self._started += 1
            self._lit[key] = ("-flash-up" if value > before[0] else "-flash-down", now + FLASH_S)
        ink, until = self._lit.get(key, ("", now))
        return ink if now < until else ""

    def any_lit(self, now: float) -> bool:
        """Whether a later redraw must put a cell out; forgets those that are out."""
        self._lit = {key: lit for key, lit in self._lit.items() if now < lit[1]}
        return bool(self._lit)

    def keep(self, rows: set[str]) -> None:
        """Forget the cells of rows that are gone."""
        self._values = {key: value for key, value in self._values.items() if key[0] in rows}
