"""Write docs/features.md from the records of all declared features: `python docs/generate_features.py`.

Every sentence about a feature stands in the code beside it. `--check` writes nothing and exits with 1 when
the page is out of date.
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from engine.features.declared import records
from tui.commands.features import document_of

PAGE = Path(__file__).with_name("features.md")
_HEAD = """\
# Features

Made from their records by `python docs/generate_features.py`; a test fails when it is out of date.
`tradedeck features [ID] [--json]` says the same at the terminal.

- **Maximum age:** counted from when the value was true. *last bar*: it must come from the last completed bar
  of its series. An older value is missing, never served.
- **First value, window:** bars needed for the first number, and the newest bars that one number can depend
  on; *all*: every bar since the first counts (Wilder averages).
- **Missing:** *yes*: a strategy can decide without it. What has no number says why: missing, stale, out of
  range, source down, not applicable, insufficient history.
- **Scaled by:** what models do with it; fitted on training rows alone and frozen in the model's manifest.
- Those marked + are outside the catalogue of 127: inputs of the challenger model, or of one rule.
"""
_COLUMNS = ("id", "definition", "unit", "range", "missing", "max age s", "first value", "window", "read from")
_MORE = ("scaled by", "version")


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_tables(), ""])


def _tables() -> Iterator[str]:
    documents = [document_of(record) for record in records()]
    for category, rows in groupby(documents, key=lambda one: str(one["category"])):
        found = list(rows)
        yield f"## {category.replace('_', ' ').capitalize()} ({len(found)})"
        yield ""
        yield f"| {' | '.join((*_COLUMNS, *_MORE))} |"
        yield "|" + "---|" * (len(_COLUMNS) + len(_MORE))
        for one in found:
            yield f"| {' | '.join(_cells(one))} |"
        yield ""


def _cells(one: dict[str, object]) -> Iterator[str]:
    window = "-" if not one["is_of_bars"] else "all" if one["window"] is None else str(one["window"])
    inputs = one["inputs"] if isinstance(one["inputs"], list) else []
    more = " +" if one["is_extra"] else ""
    kind = "" if one["for"] == "both" else f" ({one['for']})"
    yield f"`{one['id']}`{more}"
    yield f"{one['definition']}{kind}".replace("|", "\\|")
    yield str(one["unit"])
    yield str(one["range"])
    yield "yes" if one["nullable"] else "no"
    yield "last bar" if one["max_age_s"] is None else str(one["max_age_s"])
    yield "-" if one["lookback"] is None else str(one["lookback"])
    yield window
    yield ", ".join(map(str, inputs))
    yield str(one["transform"])
    yield str(one["version"])


def main(arguments: list[str]) -> int:
    """Write the page, or look whether it is as it would be written."""
    new = page()
    if arguments == ["--check"]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != new)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
