"""A replay of generated days in a process of its own, killed by SIGKILL at the n-th durable write.

usage: killed_run.py FOLDER N before|after      (N 0: run to the end and print the document as JSON)

Writes are counted over the journal and the venue's book alike.
"""

import asyncio
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from engine.execution.matching import GapFill
from engine.execution.policies import PolicyName
from engine.risk.limits import NONE
from engine.sources.sessions import ExchangeSessions
from storage.journal import SqliteJournal
from storage.paper_book import SqlitePaperBook
from storage.paths import find_home, folder_state
from tui.settings import load_settings
from tui.wiring.market import BarInputs, MarketData
from tui.wiring.replay import ReplayOptions, join
from tui.wiring.research import run_document
from tui.wiring.runtime import RunOptions

SEED = 7


def generated(name: str = "fixtures_bars") -> Any:
    """The market of the tests, made without pytest."""
    path = Path(__file__).resolve().parents[1] / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.market_of(SEED, instruments=14, sessions=45)


class Killer:
    """Counts durable writes and ends the process at the chosen one."""

    def __init__(self, at: int, when: str) -> None:
        self.count = 0
        self._at = at
        self._when = when

    def guard(self, write: Callable[..., None]) -> Callable[..., None]:
        """The same write, deadly when its turn comes."""

        def guarded(*args: Any) -> None:
            self.count += 1
            deadly = self.count == self._at
            if deadly and self._when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            write(*args)
            if deadly:
                os.kill(os.getpid(), signal.SIGKILL)

        return guarded


def main() -> None:
    """Run or resume the replay of FOLDER."""
    folder, at, when = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    killer = Killer(at, when)
    SqliteJournal.commit = killer.guard(SqliteJournal.commit)  # type: ignore[method-assign]
    SqlitePaperBook.put = killer.guard(SqlitePaperBook.put)  # type: ignore[method-assign]
    market = generated()
    home = find_home({"TRADEDECK_HOME": str(folder / "home")})
    home.make()
    replayed = ReplayOptions(market.days[0], market.days[-8], BarInputs(), None, GapFill.GAP, False)
    options = RunOptions(
        load_settings(None, folder, folder, {}, {}),
        home,
        folder_state(home, folder / "state"),
        PolicyName.PAPER_AUTO,
        NONE,
        remember=False,
    )
    sessions = ExchangeSessions(Path(os.environ["CALENDAR_CACHE"]), date(2026, 11, 20))
    data = MarketData(market.bars, market.vix, market.spy, ())
    runtime = join(options, replayed, data, sessions)
    document = asyncio.run(run_document(runtime, data, True, lambda line: None))
    sys.stdout.write(json.dumps({"writes": killer.count, "document": document}))


if __name__ == "__main__":
    main()
