"""What both tables show, and how a program says what its ticks cost."""

import json
import os
import time

COLUMNS = 10
WARM_TICKS = 10
PHASES = 5


def phases(rows: int) -> list[list[tuple[str, ...]]]:
    """What the rows show in turn: made before anything is measured."""
    return [
        [tuple(_text(row, column, number) for column in range(COLUMNS)) for row in range(rows)]
        for number in range(PHASES)
    ]


def _text(row: int, column: int, number: int) -> str:
    """A price of six characters that changes with `number`."""
    return f"{(row * 7919 + column * 104_729 + number * 31) % 80_000 / 100 + 100:.2f}"


class Report:
    """Tells a pipe when the measured ticks begin, and at their end what they took."""

    def __init__(self, pipe: int, ticks: int) -> None:
        self._pipe = pipe
        self._ticks = ticks
        self._number = 0
        self._busy_s = 0.0

    def tick(self) -> bool:
        """True after the last one."""
        self._number += 1
        if self._number == WARM_TICKS:
            self._busy_s = time.process_time()
            os.write(self._pipe, b"begin\n")
        is_last = self._number == WARM_TICKS + self._ticks
        if is_last:
            busy_s = (time.process_time() - self._busy_s) / self._ticks
            os.write(self._pipe, json.dumps({"busy_s": busy_s}).encode() + b"\n")
        return is_last
