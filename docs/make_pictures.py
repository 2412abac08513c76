"""Draw the pictures of the README: `python docs/make_pictures.py`.

A person's part of the demo is played: tickets of its first sessions are approved as they come, then the
market is stopped after an open while tickets wait, and the console itself draws each screen. The same seed
gives the same pictures, but for the figures of the process on Health.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from engine.execution.policies import PolicyName
from engine.model.commands import Actor, ApproveTicket
from engine.model.events import MarketMoved
from engine.model.market import SessionPhase
from engine.risk.limits import FULL
from storage.paths import find_home, folder_state
from tui.picture import console_picture
from tui.settings import DeckConfig, Settings
from tui.wiring.demo import DEFAULT_SEED, DemoOptions, build_demo
from tui.wiring.runtime import RunOptions, Runtime

FOLDER = Path(__file__).parent / "pictures"
SEED = DEFAULT_SEED
SPEED = 60.0
"""Market seconds a second: a venue has time to answer, as with a person."""
SESSIONS = 1
"""Opens until the market is stopped."""
AFTER_OPEN_US = 240_000_000
"""Of that last session the market still moves for so long, so that prices and brackets are alive."""
PERSON = Actor("you", "pts/0")
PICTURES: tuple[tuple[str, tuple[int, int], tuple[str, ...], str], ...] = (
    ("desk", (120, 40), (), "dusk"),
    ("ticket", (120, 40), ("a",), "dusk"),
    ("gems", (120, 40), ("2",), "dusk"),
    ("gem", (120, 40), ("2", "enter"), "dusk"),
    ("gaps", (120, 40), ("3",), "dusk"),
    ("orders", (120, 40), ("4",), "dusk"),
    ("portfolio", (120, 40), ("5", "right_square_bracket", "right_square_bracket"), "dusk"),
    ("risk", (120, 40), ("6",), "dusk"),
    ("health", (120, 40), ("9",), "dusk"),
    ("log", (120, 40), ("0",), "dusk"),
    ("desk-80x24", (80, 24), (), "dusk"),
    ("desk-paper", (120, 40), (), "paper"),
)
"""Name, size, keys and theme of each."""


class Player:
    """Approves what waits, at once, until the last session: of its tickets it leaves all but the first."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._opens = 0
        self._opened_us = 0
        self._approved_us = 0
        runtime.bus.subscribe_call((MarketMoved,), self._watch, "player's clock")

    def _watch(self, event: MarketMoved) -> None:
        batch = event.batch
        if batch.phase is SessionPhase.OPEN:
            self._opens, self._opened_us = self._opens + 1, batch.ts
        asyncio.get_running_loop().call_soon(self._act, batch.ts)

    def _act(self, ts: int) -> None:
        engine, is_last = self._runtime.engine, self._opens >= SESSIONS
        waiting = engine.tickets.waiting()
        if is_last:
            waiting = waiting[:1] if self._approved_us != self._opened_us else ()
        for entry in waiting:
            self._approved_us = self._opened_us
            engine.give(
                ApproveTicket(entry.ticket.id, entry.sha256, f"player-{entry.ticket.id}", None, PERSON)
            )
        if is_last and ts >= self._opened_us + AFTER_OPEN_US:
            self._runtime.drive.stop()


async def draw_all(folder: Path, home: Path) -> None:
    """Run the demo to its moment and write every picture."""
    runtime = build_demo(_options(home), DemoOptions(SEED, SPEED, slows_for_tickets=False))
    Player(runtime)
    await runtime.start()
    try:
        await runtime.run_until_done()
        for name, (width, height), keys, theme in PICTURES:
            drawn = await console_picture(runtime.link, width=width, height=height, keys=keys, theme=theme)
            (folder / f"{name}.svg").write_text(drawn, encoding="utf-8")
            sys.stdout.write(f"{name}: {len(drawn) // 1024} KiB\n")
    finally:
        await runtime.stop()


def _options(home: Path) -> RunOptions:
    found = find_home({"TRADEDECK_HOME": str(home)})
    settings = Settings(DeckConfig(), "0" * 64, {}, ())
    return RunOptions(settings, found, folder_state(found, home / "demo"), PolicyName.HOLD, FULL)


def main() -> None:
    """Everything in a folder that is gone afterwards, but the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(draw_all(FOLDER, Path(home)))


if __name__ == "__main__":
    main()
