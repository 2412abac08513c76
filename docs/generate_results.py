"""Write docs/gaps-results.md from back-tests of the full rule: no number on that page is typed by hand.

    python docs/generate_results.py --adjusted FILE --raw FILE --vix FILE --spy FILE [--jobs N]

The adjusted bars are walked forward. Those models, each as of its quarter and not refitted, then decide on
the raw bars, which are too short to train on. The challenger's inputs get a study of their own.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.backtest.report_markdown import markdown_report
from storage.paths import find_home, folder_state
from tui.settings import load_settings
from tui.wiring.gapstudy import StudyOptions, study_gaps
from tui.wiring.market import BarInputs

PAGE = Path(__file__).with_name("gaps-results.md")
INTRODUCTION = """# What the gaps strategy did on stored bars

Made by `python docs/generate_results.py`; every number comes from the run. Nothing here promises anything:
events cluster, names that were delisted are missing, and the spread is assumed.

Each study walks forward: a quarter is decided by a model that was trained on what was known ten sessions
before it began. The account takes at most 3 entries a session and 8 at once, the highest expected value
first. Costs are half the spread, the square-root impact of each order, and the fees that sales carry on
their day; a target fills only when the bar trades through it, a stop that is jumped over fills at the open.
"""


def main() -> int:
    """Run the studies and write the page."""
    parser = argparse.ArgumentParser(description="Write docs/gaps-results.md from back-tests.")
    for name in ("adjusted", "raw", "vix", "spy"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--to", type=Path, default=PAGE)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="tradedeck-results-") as folder:
        page = "\n".join([INTRODUCTION, *_sections(given, Path(folder))])
    given.to.write_text(page)
    return 0


def _sections(given: argparse.Namespace, folder: Path) -> Iterator[str]:
    """One part a study. They share one registry, so each counts the configurations of those before it."""
    home = find_home({**os.environ, "TRADEDECK_HOME": str(folder)})
    home.make()
    adjusted = BarInputs((given.adjusted,), given.vix, given.spy)
    raw = BarInputs((given.raw,), given.vix, given.spy)
    studies: tuple[tuple[str, BarInputs, BarInputs | None, bool], ...] = (
        ("Walk-forward on adjusted bars", adjusted, None, False),
        ("The same models on raw bars", raw, adjusted, False),
        ("The challenger's inputs, adjusted bars", adjusted, None, True),
    )
    settings = load_settings(None, folder, folder, {}, {"gaps.rule": "full"})
    for title, inputs, train, is_extended in studies:
        options = StudyOptions(
            settings, home, folder_state(home, folder / "state"), inputs, train, None, None, is_extended,
            given.jobs, None,
        )  # fmt: skip
        document: dict[str, Any] = study_gaps(options, False, _say, _told)
        yield f"## {title}\n\n{markdown_report(document, 2).partition(chr(10))[2].lstrip()}"


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _told(what: str, done: int, total: int) -> None:
    sys.stderr.write(f"\r{done} of {total} {what} ")
    if done == total:
        sys.stderr.write("\n")


if __name__ == "__main__":
    sys.exit(main())
