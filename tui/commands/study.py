"""What a person sees of a study of the full rule, and the files that are written of it."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.backtest import report_words as words
from engine.backtest.report_html import html_report
from engine.backtest.report_markdown import markdown_report, sections
from engine.errors import StorageError
from storage.artifacts import write_artifact
from tui.commands.output import Progress, keeping, say, write_json, write_line
from tui.wiring.gapstudy import StudyOptions, study_gaps

CURVE_ROWS = 12
NAME = "gaps-full"
"""Of the files of a report."""


def backtest_full(options: StudyOptions, report: Path | None, rows: bool, as_json: bool) -> None:
    """Run it and say what came of it; ctrl-c leaves no file behind."""
    if report is not None:
        _make(report)
    progress = Progress()
    with keeping("Nothing was written"):
        document = study_gaps(options, rows or report is not None, say, progress.pace)
        progress.clear()
        written = [] if report is None else write_report(document, report)
    if as_json:
        write_json(document if rows else {key: one for key, one in document.items() if key != "rows"})
    else:
        show(document)
    for path in written:
        say(f"Written: {path}")


def write_report(document: Mapping[str, Any], folder: Path) -> list[Path]:
    """HTML, Markdown and JSON; each appears whole or not at all."""
    contents = {
        f"{NAME}.html": html_report(document),
        f"{NAME}.md": markdown_report(document),
        f"{NAME}.json": json.dumps(document, indent=2, allow_nan=False) + "\n",
    }
    return [write_artifact(folder, name, text.encode()) for name, text in contents.items()]


def show(document: Mapping[str, Any]) -> None:
    """What does not apply first, then the curve and the tables."""
    for line in words.lines_of(document["not_applicable"]):
        write_line(f"not_applicable(dataset): {line}")
    for line in document["warnings"]:
        write_line(line)
    for line in curve_lines(document["curve"]):
        write_line(line)
    for title, note, (heads, table) in sections(document):
        write_line("")
        write_line(f"{title}. {note}" if note else title)
        for line in aligned(heads, table):
            write_line(line)


def curve_lines(curve: Sequence[Mapping[str, Any]]) -> list[str]:
    """Equity with its drawdown hanging below, as wide as the terminal."""
    from tui.widgets.charts.graph import Graph  # a chart is drawn only here
    from tui.widgets.charts.line import line_chart

    values = [one["equity"] for one in curve]
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    encoding = (sys.stdout.encoding or "ascii").lower()
    graph = Graph.BRAILLE if encoding.startswith("utf") else Graph.ASCII
    drawn = line_chart(
        values, width, CURVE_ROWS, drawdown=[one["fall"] for one in curve], graph=graph, empty="No sessions"
    )
    lines = ["".join(span.text for span in line).rstrip() for line in drawn]
    first, last = (curve[0]["day"], curve[-1]["day"]) if curve else ("", "")
    return ["", f"Equity and drawdown at 1x cost, {first} to {last}", *lines]


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Cells under their heads, the first column to the left."""
    if not rows:
        return ["Nothing to show."]
    cells = [list(heads), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made: {error.strerror}", "Name another folder") from error
