"""Back-test, replay through the real engine, and the import of bars."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import UsageError
from tui.commands.common import (
    ConfigOption,
    DataOption,
    FromOption,
    JsonOption,
    PolicyOption,
    RowsOption,
    RuleOption,
    SpyOption,
    StateOption,
    ToOption,
    VixOption,
    check_files,
    given,
    parse_day,
)
from tui.commands.output import Column, Progress, keeping, say, write_fields, write_json, write_table

if TYPE_CHECKING:
    from engine.execution.matching import GapFill
    from tui.wiring.research import BacktestOptions

FillOption = Annotated[
    str,
    typer.Option("--fill", metavar="gap|exact", help="What an exit gets when a bar opens beyond its price."),
]
HoldOption = Annotated[
    int | None, typer.Option("--hold", min=1, max=60, help="As gaps.max_sessions in config.toml.")
]
TRADES = (
    Column("symbol", "symbol"),
    Column("date", "entered"),
    Column("entry", "entry", "average"),
    Column("exit", "exit", "average"),
    Column("exit_reason", "reason"),
    Column("ret", "return", "signed_percent"),
    Column("sessions", "sessions"),
)
REGIMES = (
    Column("regime", "regime"),
    Column("trades", "trades"),
    Column("win_pct", "win %"),
    Column("avg_ret_pct", "mean %"),
)

backtests = typer.Typer(help="Run a strategy over stored days.", rich_markup_mode=None)
imports = typer.Typer(help="Take data into the local store.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("replay")(replay_days)
    backtests.command("gaps")(backtest_gaps)
    app.add_typer(backtests, name="backtest")
    imports.command("bars")(import_bars)
    app.add_typer(imports, name="import")


@backtests.callback()
def _backtests() -> None:
    pass


@imports.callback()
def _imports() -> None:
    pass


def replay_days(
    context: typer.Context,
    first: Annotated[date, typer.Option("--from", parser=parse_day, metavar="DAY", help="First session.")],
    last: ToOption = None,
    strategy: Annotated[str, typer.Option("--strategy", metavar="gaps")] = "gaps",
    data: DataOption = None,
    vix: VixOption = None,
    spy: SpyOption = None,
    rule: RuleOption = None,
    policy: PolicyOption = None,
    fill: FillOption = "gap",
    hold: HoldOption = None,
    no_limits: Annotated[
        bool, typer.Option("--no-limits", help="Every candidate trades, each its own position.")
    ] = False,
    rows: RowsOption = False,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Run the real engine over stored days, as fast as it goes."""
    if strategy != "gaps":
        raise UsageError(f"--strategy {strategy}: only gaps can be replayed in this release", "Use gaps")
    files = tuple(data or ())
    check_files(*files, vix, spy)
    _check_days(first, last)
    at = given(context, config, state)
    typed = {"gaps.rule": rule, "gaps.max_sessions": hold, "engine.headless_policy": policy}
    settings = at.settings(typed)

    import asyncio  # this and the engine with its libraries: 1 s

    from engine.risk.limits import DATASET, NONE
    from tui.commands.running import new_state
    from tui.wiring.market import BarInputs
    from tui.wiring.replay import ReplayOptions
    from tui.wiring.research import replay_document
    from tui.wiring.runtime import RunOptions

    days = ReplayOptions(first, last, BarInputs(files, vix, spy), None, _fill(fill), False)
    options = RunOptions(
        settings=settings,
        home=at.home,
        state=new_state(at),
        policy=settings.config.engine.headless_policy,
        switches=NONE if no_limits else DATASET,
        learns=False,  # row by row what the back-test decides, which knows no past of an account
    )
    with keeping(f"State kept in {options.state.folder}"):
        document = asyncio.run(replay_document(options, days, rows, say))
    _write(document, as_json)


def backtest_gaps(
    context: typer.Context,
    data: DataOption = None,
    vix: VixOption = None,
    spy: SpyOption = None,
    rule: RuleOption = None,
    fill: FillOption = "gap",
    hold: HoldOption = None,
    first: FromOption = None,
    last: ToOption = None,
    limits: Annotated[
        bool, typer.Option("--limits", help="Naive rule: one account with its cash and its caps.")
    ] = False,
    train_data: Annotated[
        list[Path] | None,
        typer.Option("--train-data", metavar="FILE", help="Full rule: train on these bars instead."),
    ] = None,
    extended: Annotated[
        bool, typer.Option("--extended", help="Full rule: inputs of the challenger.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Full rule: HTML, Markdown and JSON there.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, metavar="N", help="Processes.")] = 1,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="ADDRESS", help="A dask scheduler instead of --jobs.")
    ] = None,
    rows: RowsOption = False,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Back-test of the gap-down bounce: the naive rule, or all of it with walk-forward models."""
    files, taught = tuple(data or ()), tuple(train_data or ())
    check_files(*files, *taught, vix, spy)
    _check_days(first, last)
    at = given(context, config, state)
    settings = at.settings({"gaps.rule": rule, "gaps.max_sessions": hold})

    from engine.strategies.gaps_config import GapsRule  # numpy and the engine: 1 s
    from tui.wiring.market import BarInputs

    gaps, inputs = settings.config.gaps, BarInputs(files, vix, spy)
    if gaps.rule is GapsRule.FULL:
        from tui.commands.study import backtest_full  # and the models
        from tui.wiring.gapstudy import StudyOptions

        _refuse_for("full", {"--limits": limits, "--fill exact": fill != "gap"})
        train = BarInputs(taught, vix, spy) if taught else None
        options = StudyOptions(
            settings, at.home, at.paths, inputs, train, first, last, extended, jobs, cluster
        )
        backtest_full(options, report, rows, as_json)
        return
    _refuse_for(
        "naive",
        {
            "--train-data": bool(taught),
            "--extended": extended,
            "--report": report is not None,
            "--jobs": jobs != 1,
            "--cluster": cluster is not None,
        },
    )
    filled = _fill(fill)
    if gaps.rule is GapsRule.AUTO:
        say("gaps.rule = auto: the naive rule is tested here; --rule full tests all of it")

    from tui.wiring.research import BacktestOptions

    _naive(
        BacktestOptions(settings, at.home, at.paths, inputs, first, last, filled, gaps.max_sessions, limits),
        rows,
        as_json,
    )


def _naive(options: "BacktestOptions", rows: bool, as_json: bool) -> None:
    from tui.wiring.research import backtest_document  # as above

    with keeping("Nothing was changed"):
        document = backtest_document(options, rows, say)
    _write(document, as_json)


def _refuse_for(rule: str, options: Mapping[str, bool]) -> None:
    for name, is_given in options.items():
        if is_given:
            raise UsageError(f"{name} says nothing to the {rule} rule", f"Leave {name} out")


def import_bars(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV or Parquet, daily bars.")],
    symbol: Annotated[
        str | None, typer.Option("--symbol", metavar="VIX|SPY|…", help="For a file without a symbol column.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Take daily bars into the local store; says what it took, what it refused and why."""
    at = given(context, config, None)
    at.settings()

    from tui.wiring.importing import FileReport, describe  # the checks and their libraries: 0.5 s
    from tui.wiring.importing import import_bars as import_all

    reports: list[FileReport] = []
    progress = Progress()
    with keeping("Every symbol that was done is kept, and the same command goes on from there"):
        for report in import_all(files, symbol, at.home, lambda one: progress.show(one.done, one.total)):
            progress.clear()
            reports.append(report)
            say(report.summary())
            for line in (*report.refusals, *report.warnings):
                say(f"  {line}")
    if as_json:
        write_json([describe(report) for report in reports])
    problem = next((report.problem for report in reports if report.problem is not None), None)
    if problem is not None or any(report.refusals for report in reports):
        raise typer.Exit(65 if problem is None else problem.exit_code)


def _check_days(first: date | None, last: date | None) -> None:
    if first is not None and last is not None and last < first:
        raise UsageError(f"--to {last} is before --from {first}", "Name the earlier day with --from")


def _fill(text: str) -> "GapFill":
    from engine.execution.matching import GapFill  # keeps --help quick

    try:
        return GapFill(text)
    except ValueError as error:
        raise UsageError(f"--fill {text}: not known", f"Use {' or '.join(GapFill)}") from error


def _write(document: dict[str, object], as_json: bool) -> None:
    """The whole document, or its totals and trades as tables."""
    if as_json:
        write_json(document)
        return
    totals = {key: value for key, value in document.items() if not isinstance(value, list | dict)}
    write_fields(totals)
    regimes = document.get("by_regime")
    if isinstance(regimes, dict):
        rows = [{"regime": name, **values} for name, values in regimes.items()]
        write_table(rows, REGIMES)
    trades = document.get("rows")
    if isinstance(trades, list):
        write_table(trades, TRADES)
