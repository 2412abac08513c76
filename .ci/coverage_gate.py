"""Fails when fewer lines, or fewer branches of the parts that move money, were run than promised."""

import json
import sys
from pathlib import Path
from typing import Any

LINES_MIN_PCT = 80.0
EVERY_BRANCH = ("engine/execution/", "engine/risk/")


def main(report: Path) -> int:
    """Print both figures and each file that falls short; 1 when one does."""
    if not report.exists():
        sys.stdout.write("no coverage was measured\n")
        return 1
    found: dict[str, Any] = json.loads(report.read_text())
    totals = found["totals"]
    lines_pct = 100 * totals["covered_lines"] / totals["num_statements"]
    sys.stdout.write(f"lines: {lines_pct:.1f} %, at least {LINES_MIN_PCT:g} %\n")
    strict = {name: file for name, file in sorted(found["files"].items()) if name.startswith(EVERY_BRANCH)}
    missing = [line for name, file in strict.items() for line in _missing(name, file)]
    branches = sum(file["summary"]["num_branches"] for file in strict.values())
    covered = sum(file["summary"]["covered_branches"] for file in strict.values())
    sys.stdout.write(f"branches of {' and '.join(EVERY_BRANCH)}: {covered} of {branches}, all of them\n")
    sys.stdout.writelines(missing)
    return int(lines_pct < LINES_MIN_PCT or covered < branches or branches == 0)


def _missing(name: str, file: Any) -> list[str]:
    return [
        f"  {name}: line {start} never went to {_target(end)}\n" for start, end in file["missing_branches"]
    ]


def _target(line: int) -> str:
    """Coverage writes the end of a function as a negative line."""
    return f"line {line}" if line > 0 else "the end"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
