"""The scripts that guard a change can say no."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def script(root: Path) -> Callable[[str], ModuleType]:
    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"ci_{name}", root / ".ci" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def coverage_report(tmp_path: Path) -> Callable[..., Path]:
    def write(lines: int = 80, branches: int = 4, name: str = "engine/risk/gates.py") -> Path:
        missing = [[10, -9], [20, 22]][: 4 - branches]
        report = {
            "totals": {"covered_lines": lines, "num_statements": 100},
            "files": {
                name: {
                    "summary": {"num_branches": 4, "covered_branches": branches},
                    "missing_branches": missing,
                },
                "tui/app.py": {"summary": {"num_branches": 9, "covered_branches": 0}, "missing_branches": []},
            },
        }
        path = tmp_path / "coverage.json"
        path.write_text(json.dumps(report))
        return path

    return write


def test_enough_lines_and_every_branch_that_counts_pass(
    script: Callable[[str], ModuleType],
    coverage_report: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert script("coverage_gate").main(coverage_report()) == 0
    assert capsys.readouterr().out == (
        "lines: 80.0 %, at least 80 %\nbranches of engine/execution/ and engine/risk/: 4 of 4, all of them\n"
    )


@pytest.mark.parametrize(
    "short",
    [
        {"lines": 79},
        {"branches": 3},
        {"name": "engine/bus.py"},
        {"name": "engine/execution/x.py", "branches": 2},
    ],
)
def test_fewer_lines_one_branch_less_or_nothing_measured_fail(
    script: Callable[[str], ModuleType], coverage_report: Callable[..., Path], short: dict[str, object]
) -> None:
    assert script("coverage_gate").main(coverage_report(**short)) == 1


def test_missing_branches_are_named(
    script: Callable[[str], ModuleType],
    coverage_report: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    script("coverage_gate").main(coverage_report(branches=2))
    out = capsys.readouterr().out
    assert "  engine/risk/gates.py: line 10 never went to the end\n" in out
    assert "  engine/risk/gates.py: line 20 never went to line 22\n" in out


def test_no_report_is_a_failure(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    assert script("coverage_gate").main(tmp_path / "none.json") == 1


@pytest.fixture
def advisories(
    script: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ModuleType:
    module = script("advisories")
    (tmp_path / "accepted.txt").write_text(
        "# none\nPYSEC-1 only its server is affected, until 2027-01  # ours\n"
    )
    monkeypatch.setattr(module, "ACCEPTED", tmp_path / "accepted.txt")
    return module


def test_a_service_that_cannot_be_reached_is_a_skip_with_the_reason(
    advisories: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisories, "SERVICE", "http://127.0.0.1:1/")
    assert advisories.main(tmp_path / "skipped") == 0
    assert "advisories: http://127.0.0.1:1/ cannot be reached: " in (tmp_path / "skipped").read_text()


@pytest.mark.parametrize(("names", "code"), [({"GHSA-2"}, 1), ({"GHSA-2", "PYSEC-1"}, 0)])
def test_a_finding_fails_unless_it_is_accepted_by_one_of_its_names(
    advisories: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: set[str], code: int
) -> None:
    monkeypatch.setattr(advisories, "why_unreachable", lambda: "")
    monkeypatch.setattr(advisories, "findings", lambda: [("some 1.0", "fixed in 1.1", names)])
    assert advisories.main(tmp_path / "skipped") == code
    assert not (tmp_path / "skipped").exists()


def test_an_accepted_finding_needs_a_reason(advisories: ModuleType) -> None:
    assert advisories.accepted() == {"PYSEC-1": "only its server is affected, until 2027-01"}
    advisories.ACCEPTED.write_text("PYSEC-2\n")
    with pytest.raises(ValueError, match="PYSEC-2 has no reason"):
        advisories.accepted()


def test_the_list_of_accepted_findings_can_be_read(script: Callable[[str], ModuleType]) -> None:
    assert all(script("advisories").accepted().values())
