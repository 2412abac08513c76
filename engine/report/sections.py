"""The tables of a report, in the order in which a person asks: one list for Markdown and for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Cells = tuple[str, ...]
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with a table; `empty` is said where there are no rows."""

    title: str
    heads: Cells
    rows: tuple[Cells, ...]
    empty: str


def sections(document: Mapping[str, Any]) -> tuple[Section, ...]:
    """All tables of `engine.report.document.document`."""
    return (
        Section("Decision", ("what", "value"), _pairs(document["decision"]), "Nothing is stored of it."),
        _table("Checks", document["checks"], ("name", "outcome", "stored", "derived", "words"), "None."),
        _table(
            "Features",
            document["features"],
            ("id", "value", "missing", "version", "ts_event", "ts_known", "source"),
            "No features are stored.",
        ),
        *_assessment(document["assessment"]),
        _table(
            "Votes",
            document["votes"],
            ("agent", "vote", "hard", "value", "limit", "reasons"),
            "Nobody voted.",
        ),
        _table(
            "Gates",
            document["gates"],
            ("gate", "title", "status", "value", "limit", "reason"),
            "Not asked: there was no proposal.",
        ),
        *_tickets(document["tickets"]),
        _table(
            "Orders",
            document["orders"],
            ("role", "side", "type", "quantity", "limit_price", "stop_price", "tif", "state", "filled", "id"),
            "Nothing was sent.",
        ),
        _table(
            "Fills",
            document["fills"],
            ("at", "role", "side", "quantity", "price", "fee", "order"),
            "Nothing was filled.",
        ),
        Section("Exit", ("what", "value"), _pairs(document["exit"] or {}), "The position is not closed."),
        Section("Costs", ("what", "value"), _pairs(document["costs"] or {}), "Nothing was bought."),
        _table("Audit log", document["audit"], ("seq", "at", "actor", "kind", "hash"), "No lines."),
    )


def _assessment(found: Mapping[str, Any] | None) -> tuple[Section, ...]:
    """Nothing of a rule without a model."""
    if found is None:
        return ()
    flat = {key: value for key, value in found.items() if not isinstance(value, dict | list)}
    evidence = found["evidence"] or {}
    return (
        Section("Forecast and scores", ("what", "value"), _pairs(flat), ""),
        Section("Quality score", ("part", "points"), _pairs(found["bcs_parts"] or {}), "It was not scored."),
        _table("Contributions", found["contributions"], ("feature", "value", "amount"), "None are stored."),
        _table(
            "Filters and limits",
            found["checks"],
            ("step", "name", "status", "value", "limit", "reason"),
            "None.",
        ),
        Section("Evidence of an edge", ("what", "value"), _pairs(evidence), "No evidence of an edge."),
    )


def _tickets(tickets: Sequence[Mapping[str, Any]]) -> tuple[Section, ...]:
    found = []
    for ticket in tickets:
        approval = ticket["approval"] or {}
        rows = _pairs({key: value for key, value in ticket.items() if key != "approval"})
        rows += _pairs({f"approval {key}": value for key, value in approval.items()})
        found.append(Section(f"Ticket {ticket['number'] or 'gated out'}", ("what", "value"), rows, ""))
    return tuple(found) or (Section("Ticket", (), (), "There is no ticket."),)


def _pairs(values: Mapping[str, Any]) -> tuple[Cells, ...]:
    return tuple((key.replace("_", " "), cell(value)) for key, value in values.items())


def _table(title: str, rows: Sequence[Mapping[str, Any]], keys: Cells, empty: str) -> Section:
    """Columns without a value in any row are left out."""
    kept = tuple(key for key in keys if any(row.get(key) not in (None, "", []) for row in rows)) or keys
    heads = tuple(key.replace("_", " ") for key in kept)
    return Section(title, heads, tuple(tuple(cell(row.get(key)) for key in kept) for row in rows), empty)


def cell(value: object) -> str:
    """A value as text; floats with all the digits that make them."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        return "; ".join(map(str, value)) or NOTHING
    return str(value)
