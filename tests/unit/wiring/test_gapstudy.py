"""The study of the full rule joined: from files to a document, on this machine and on a cluster."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import DataError, UsageError
from engine.ports import BarColumns
from engine.statistics.resampling import bootstrapped
from storage.model_registry import open_registry
from storage.paths import find_home, folder_state
from tui.commands.study import curve_lines, show, write_report
from tui.settings import load_settings
from tui.wiring.gapstudy import STUDY, StudyOptions, cluster_executor, study_gaps
from tui.wiring.market import BarInputs

COLUMNS = ("open", "high", "low", "close", "volume", "event_ratio")


def write_bars(path: Path, bars: dict[str, BarColumns], with_symbol: bool) -> Path:
    lines = [",".join((*(("symbol",) if with_symbol else ()), "date", *COLUMNS))]
    for symbol, columns in bars.items():
        for row, day in enumerate(columns.day.tolist()):
            values = [repr(float(getattr(columns, name)[row])) for name in COLUMNS]
            lines.append(",".join((*((symbol,) if with_symbol else ()), day.isoformat(), *values)))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def options(tmp_path: Path, generate_market: Callable[..., Any]) -> StudyOptions:
    market = generate_market(7, 12, 60)
    bars = {name[:-3]: columns for name, columns in market.bars.items()}
    inputs = BarInputs(
        (write_bars(tmp_path / "bars.csv", bars, True),),
        write_bars(tmp_path / "vix.csv", {"VIX": market.vix}, False),
        write_bars(tmp_path / "spy.csv", {"SPY": market.spy}, False),
    )
    home = find_home({"TRADEDECK_HOME": str(tmp_path / "home")})
    home.make()
    settings = load_settings(None, tmp_path, tmp_path, {}, {"gaps.rule": "full"})
    state = folder_state(home, tmp_path / "state")
    return StudyOptions(settings, home, state, inputs, None, None, None, False, 1, None)


def run(options: StudyOptions) -> dict[str, Any]:
    return study_gaps(options, True, lambda line: None, lambda what, done, total: None)


def test_bars_too_short_to_learn_from_give_no_trade_and_say_so(options: StudyOptions) -> None:
    document = run(options)
    assert document["rows"] == []
    assert document["results"]["1x"]["trades"]["rate"]["ratio"] is None
    assert document["models"]["quarters"] == []
    assert document["models"]["skill"]["p_touch"]["n"] == 0
    assert document["funnel"][0]["total"] > 0
    assert document["evidence"]["n"] == 0
    assert any("fewer than 20 trades" in line for line in document["warnings"])


def test_every_configuration_is_counted_once(options: StudyOptions) -> None:
    first, again = run(options), run(options)
    assert first["terms"]["trials"] == again["terms"]["trials"] == 29
    with open_registry(options.home.models) as registry:
        assert registry.trials(STUDY) == 29
    other = run(replace(options, is_extended=True))
    assert other["terms"]["trials"] == 58


def test_without_vix_or_spy_there_is_no_study(options: StudyOptions) -> None:
    with pytest.raises(DataError, match="needs the VIX and SPY"):
        run(replace(options, inputs=replace(options.inputs, vix=None)))


def test_days_without_a_gap_are_refused(options: StudyOptions) -> None:
    with pytest.raises(DataError, match="no stock opened 3 % lower"):
        run(replace(options, first=date(2019, 1, 2)))


def test_reports_are_whole_files_with_the_same_numbers(
    options: StudyOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = run(options)
    folder = tmp_path / "reports"
    folder.mkdir()
    written = write_report(document, folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "gaps-full.html",
        "gaps-full.json",
        "gaps-full.md",
    ]
    assert json.loads((folder / "gaps-full.json").read_text()) == document
    assert len(written) == 3
    show(document)
    shown = capsys.readouterr().out
    assert shown.startswith("not_applicable(dataset): listing")
    assert "The evidence gate never opened" in shown


def test_the_curve_of_the_terminal_is_drawn() -> None:
    curve = [{"day": f"2016-01-{at:02d}", "equity": 100.0 + at, "fall": -0.01} for at in range(1, 20)]
    lines = curve_lines(curve)
    assert lines[1] == "Equity and drawdown at 1x cost, 2016-01-01 to 2016-01-19"
    assert len(lines) == 14


def test_ctrl_c_stops_the_walk_and_leaves_nothing(options: StudyOptions) -> None:
    def told(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study_gaps(options, True, lambda line: None, told)


@pytest.mark.skipif(find_spec("distributed") is not None, reason="dask.distributed is installed")
def test_a_cluster_needs_its_extra() -> None:
    with (
        pytest.raises(UsageError, match=r"needs dask\.distributed") as refused,
        cluster_executor("tcp://127.0.0.1:1"),
    ):
        pass
    assert "tradedeck[cluster]" in refused.value.hint


@pytest.mark.filterwarnings("default")
def test_a_local_cluster_gives_the_same(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra cluster")
    returns = np.random.default_rng(1).normal(0, 0.01, 200)
    with (
        distributed.LocalCluster(
            n_workers=1,
            processes=False,
            protocol="tcp",
            dashboard_address=None,
            host="127.0.0.1",
            local_directory=str(tmp_path),
        ) as cluster,
        cluster_executor(cluster.scheduler_address) as executor,
    ):
        found = [executor.submit(bootstrapped, returns, 0.15, seed).result() for seed in (1, 2)]
    assert found == [bootstrapped(returns, 0.15, seed) for seed in (1, 2)]


@pytest.mark.filterwarnings("default")
def test_a_scheduler_that_does_not_answer_is_said() -> None:
    pytest.importorskip("distributed", reason="needs the extra cluster")
    with pytest.raises(UsageError, match="no scheduler answers"), cluster_executor("tcp://127.0.0.1:9"):
        pass
