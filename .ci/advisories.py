"""Asks the OSV database for known vulnerabilities of everything in constraints.txt.

Skipped, with the reason written to the file given as argument, only when the service cannot be reached. A
finding fails unless `.ci/advisories-accepted.txt` names it with a reason.
"""

import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
ACCEPTED = Path(__file__).parent / "advisories-accepted.txt"
SERVICE = "https://api.osv.dev/v1/query"
PROBE = b'{"package": {"name": "tradedeck", "ecosystem": "PyPI"}}'
TIMEOUT_S = 15


def why_unreachable() -> str:
    """Empty when the service answers."""
    request = urllib.request.Request(SERVICE, data=PROBE)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310 - the constant above
            return ""
    except (OSError, urllib.error.URLError) as error:
        return f"advisories: {SERVICE} cannot be reached: {error}"


def accepted() -> dict[str, str]:
    """Advisory -> reason. Raises ValueError for a line without a reason."""
    lines = (line.partition("#")[0].strip() for line in ACCEPTED.read_text().splitlines())
    known = {}
    for line in filter(None, lines):
        name, _, reason = line.partition(" ")
        if not reason:
            raise ValueError(f"{ACCEPTED.name}: {name} has no reason")
        known[name] = reason
    return known


def findings() -> list[tuple[str, str, set[str]]]:
    """Package with version, what to do, all names of the advisory. Raises RuntimeError without an answer."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "pip_audit", "-r", str(ROOT / "constraints.txt"), "--disable-pip"]
        command += [
            "--require-hashes",
            "-s",
            "osv",
            "-f",
            "json",
            "-o",
            str(answer),
            "--progress-spinner",
            "off",
        ]
        subprocess.run(command, check=False)
        if not answer.exists() or not (text := answer.read_text()):
            raise RuntimeError("pip-audit gave no answer")
    return [
        (
            f"{package['name']} {package['version']}",
            f"fixed in {', '.join(found['fix_versions']) or 'no version yet'}",
            {found["id"], *found["aliases"]},
        )
        for package in json.loads(text)["dependencies"]
        for found in package.get("vulns", ())
    ]


def main(skipped: Path) -> int:
    """1 for a finding that nobody accepted."""
    if reason := why_unreachable():
        skipped.write_text(reason + "\n")
        sys.stdout.write(f"skipped: {reason}\n")
        return 0
    known, bad = accepted(), 0
    for package, remedy, names in findings():
        excuse = next((known[name] for name in sorted(names) if name in known), None)
        bad += excuse is None
        sys.stdout.write(f"{package}: {', '.join(sorted(names))}, {remedy}; {excuse or 'NOT ACCEPTED'}\n")
    sys.stdout.write(f"{bad} advisories stand against the pinned packages\n")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
