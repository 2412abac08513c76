"""What the features are: the catalogue, or one of them with its range, age, window and definition."""

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import UsageError
from tui.commands.common import JsonOption
from tui.commands.output import Column, write_fields, write_json, write_line, write_table

if TYPE_CHECKING:
    from engine.features.registry import FeatureRecord

ID_SUGGESTIONS = 3
WIDTH = 80
LIST = (
    Column("id", "id"),
    Column("category", "category"),
    Column("for", "for"),
    Column("unit", "unit"),
    Column("range", "range"),
    Column("max_age_s", "max age s"),
    Column("version", "version"),
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("features")(features)


def features(
    feature: Annotated[str | None, typer.Argument(metavar="ID", help="Like z5; none: list all.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What the features are: id, unit, range, age, window, version and definition."""
    from engine.features.declared import records  # numpy: 0.1 s

    documents = [document_of(record) for record in records()]
    if feature is not None:
        _one(feature.strip(), documents, as_json)
    elif as_json:
        write_json(documents)
    else:
        write_table([{**one, "max_age_s": _age(one)} for one in documents], LIST)


def document_of(record: "FeatureRecord") -> dict[str, object]:
    """One record as JSON. `max_age_s` null: from the last completed bar; `window` null: all rows before."""
    from engine.features.declared import (  # keeps --help quick
        applies_to,
        definition_of,
        range_of,
        sources_of,
    )
    from engine.features.registry import FeatureSpec

    is_of_bars = isinstance(record, FeatureSpec)
    return {
        "id": record.id,
        "category": record.category.value,
        "definition": definition_of(record),
        "for": applies_to(record),
        "unit": record.unit,
        "range": range_of(record),
        "minimum": record.minimum,
        "maximum": record.maximum,
        "dtype": record.dtype.value,
        "nullable": record.nullable,
        "max_age_s": record.max_age_s,
        "lookback": record.lookback if isinstance(record, FeatureSpec) else None,
        "window": record.window if isinstance(record, FeatureSpec) else None,
        "inputs": list(sources_of(record)),
        "is_of_bars": is_of_bars,
        "is_extra": record.is_extra if isinstance(record, FeatureSpec) else False,
        "depends_on": list(record.depends_on),
        "transform": record.transform.value,
        "version": record.version,
    }


def _one(name: str, documents: list[dict[str, object]], as_json: bool) -> None:
    found = [one for one in documents if one["id"] == name]
    if not found:
        from difflib import get_close_matches  # only for a mistake

        near = get_close_matches(name, [str(one["id"]) for one in documents], ID_SUGGESTIONS)
        from engine.model.text import clean  # keeps --help quick

        hint = f"Nearest: {', '.join(near)}" if near else "tradedeck features lists all"
        raise UsageError(f"no feature {clean(name)!r} is declared", hint)
    if as_json:
        write_json(found)
        return
    for place, one in enumerate(found):
        if place:
            write_line("")
        write_line(f"{one['id']} {one['version']}  {one['category']}, for {one['for']}")
        for line in textwrap.wrap(str(one["definition"]), WIDTH, initial_indent="  ", subsequent_indent="  "):
            write_line(line)
        write_fields(_shown(one))


def _shown(one: dict[str, object]) -> dict[str, object]:
    shown: dict[str, object] = {"unit": one["unit"], "range": one["range"], "may be missing": one["nullable"]}
    shown["max age"] = _age(one) if one["max_age_s"] is None else f"{one['max_age_s']:,} s"
    if one["is_of_bars"]:
        shown["first value"] = f"bar {one['lookback']}"
        shown["looks at"] = "all bars before" if one["window"] is None else f"{one['window']} bars"
    shown["read from"] = ", ".join(map(str, _list(one["inputs"])))
    if one["depends_on"]:
        shown["depends on"] = ", ".join(map(str, _list(one["depends_on"])))
    shown["scaled by"] = one["transform"]
    if one["is_extra"]:
        shown["outside the 127"] = "input of the challenger model or of a rule"
    return shown


def _age(one: dict[str, object]) -> object:
    return "last bar" if one["max_age_s"] is None else one["max_age_s"]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
