"""A study in Markdown: every number comes from its document."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.backtest import report_words as words


def markdown_report(document: Mapping[str, Any], level: int = 1) -> str:
    """The whole report; `level`: of its headings."""
    return "\n".join(_lines(document, "#" * level)) + "\n"


def sections(document: Mapping[str, Any]) -> Iterator[tuple[str, str, words.Table]]:
    """Title, note and table of each part of a report, in order."""
    yield "Result", "", words.results_table(document)
    yield "Funnel", "Candidates left after each step, by year of the open.", words.funnel_table(document)
    candidates = document["gates"][0]["candidates"] if document["gates"] else 0
    note = f"Each gate by itself: the share of {candidates:,} gaps inside the limits that it lets through."
    yield "Pass rate of each gate", note, words.gates_table(document)
    yield "By year", "At 1x cost.", words.split_table(document["by_year"], "year")
    yield "By regime", "At 1x cost.", words.split_table(document["by_regime"], "regime")
    yield "Models", "Out of time, on what is traded.", words.skill_table(document)
    yield "Evidence", words.evidence_words(document), words.evidence_table(document)
    yield "Chance", "1,000 seeded paths at 1x cost.", words.chance_table(document)
    yield "Sensitivity", "One threshold moved at a time, at 1x cost.", words.sensitivity_table(document)


def _lines(document: Mapping[str, Any], mark: str) -> Iterator[str]:
    data, terms = document["data"], document["terms"]
    yield f"{mark} Back-test of gaps, full rule"
    yield ""
    yield "Not applicable on this dataset:"
    yield ""
    for line in words.lines_of(document["not_applicable"]):
        yield f"- {line}"
    yield ""
    for line in document["warnings"]:
        yield f"- {line}"
    yield ""
    yield (
        f"{data['symbols']:,} symbols, {data['bars']:,} daily bars, {data['first']} to {data['last']};"
        f" judged from {data['judged_from']} on, {data['judged_sessions']:,} sessions, an account of"
        f" {terms['initial_cash']:,.0f} USD."
    )
    for title, note, (heads, rows) in sections(document):
        yield ""
        yield f"{mark}# {title}"
        yield ""
        if note:
            yield note
            yield ""
        if not rows:
            yield "Nothing to show."
            continue
        yield f"| {' | '.join(map(_cell, heads))} |"
        yield f"|{'---|' + '--:|' * (len(heads) - 1)}"
        for row in rows:
            yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
