"""Training, tuning and the registry of models."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import UsageError
from tui.commands.common import (
    ConfigOption,
    DataOption,
    FromOption,
    Given,
    JsonOption,
    SpyOption,
    StateOption,
    ToOption,
    VixOption,
    check_files,
    given,
    me,
)
from tui.commands.output import Column, Progress, keeping, say, write_fields, write_json, write_table

if TYPE_CHECKING:
    from pathlib import Path

    from tui.wiring.learning import LearnOptions

ExtendedOption = Annotated[
    bool, typer.Option("--extended", help="The challenger: eight more inputs, a model of its own.")
]
JobsOption = Annotated[
    int, typer.Option("--jobs", min=1, max=64, metavar="N", help="Processes side by side.")
]
MODELS = (
    Column("version", "version"),
    Column("stage", "stage"),
    Column("created", "made"),
    Column("rows", "gaps"),
    Column("last", "until"),
    Column("usable", "usable"),
    Column("auc", "AUC p_revert"),
    Column("signed", "signed"),
    Column("problem", "problem"),
)
SKILLS = (
    Column("of", "chance"),
    Column("on", "on"),
    Column("n", "n"),
    Column("brier", "Brier"),
    Column("base_brier", "of base"),
    Column("auc", "AUC"),
    Column("ece", "ECE"),
    Column("perfect_ece", "if perfect"),
)
WORTH = (
    Column("of", "model"),
    Column("feature", "input"),
    Column("gain", "gain"),
    Column("cost", "log loss lost"),
    Column("low", "90 % from"),
    Column("high", "to"),
)
_CORRUPT = 65

trains = typer.Typer(help="Train a model on stored days.", rich_markup_mode=None)
tunes = typer.Typer(help="Search the parameters of a model.", rich_markup_mode=None)
models = typer.Typer(
    help="The registered models, with their skill and their checks.",
    rich_markup_mode=None,
    invoke_without_command=True,
    no_args_is_help=False,
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    trains.command("gaps")(train_gaps)
    app.add_typer(trains, name="train")
    tunes.command("gaps")(tune_gaps)
    app.add_typer(tunes, name="tune")
    models.command("show")(show_model)
    models.command("verify")(verify_models)
    models.command("move")(move_model)
    app.add_typer(models, name="models")


@trains.callback()
def _trains() -> None:
    pass


@tunes.callback()
def _tunes() -> None:
    pass


@models.callback()
def list_models(context: typer.Context, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """The registered models, with their skill and their checks."""
    if context.invoked_subcommand is not None:
        return
    at = given(context, config, None)
    at.settings()

    from tui.wiring.shelf import list_models  # numpy and the engine: 0.3 s

    found = list_models(at.home)
    if as_json:
        write_json(found)
    elif found:
        write_table([_line(one) for one in found], MODELS)
    else:
        say("no model is registered. tradedeck train gaps makes one")


def train_gaps(
    context: typer.Context,
    data: DataOption = None,
    vix: VixOption = None,
    spy: SpyOption = None,
    first: FromOption = None,
    last: ToOption = None,
    extended: ExtendedOption = False,
    tuned: Annotated[
        bool, typer.Option("--tuned", help="With the best parameters that tradedeck tune gaps found.")
    ] = False,
    jobs: JobsOption = 1,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Judge by walk-forward, train on all gaps, explain and register the model of the gap-down bounce."""
    at = given(context, config, state)
    options = _options(at, tuple(data or ()), vix, spy, (first, last), extended, jobs)

    from tui.wiring.learning import train_gaps as train

    progress = Progress()
    with keeping("No model was stored; what was stored before stays"):
        document = train(options, tuned, say, progress.show)
    progress.clear()
    if as_json:
        write_json(document)
        return
    _write_model(document)
    say(f"stored as {document['version']}; {_standing(document)}")


def tune_gaps(
    context: typer.Context,
    data: DataOption = None,
    vix: VixOption = None,
    spy: SpyOption = None,
    first: FromOption = None,
    last: ToOption = None,
    extended: ExtendedOption = False,
    trials: Annotated[
        int, typer.Option("--trials", min=1, max=10_000, metavar="N", help="Of each of the two models.")
    ] = 80,
    storage: Annotated[
        str | None,
        typer.Option("--storage", metavar="URL", help="Database that several machines share; else a file."),
    ] = None,
    jobs: JobsOption = 1,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Search the parameters on purged folds; a search that was stopped goes on where it was."""
    at = given(context, config, state)
    options = _options(at, tuple(data or ()), vix, spy, (first, last), extended, jobs)

    from tui.wiring.learning import tune_gaps as search

    progress = Progress()
    with keeping("Every finished trial is kept, and the same command goes on from there"):
        document = search(options, trials, storage, say, progress.show)
    progress.clear()
    if as_json:
        write_json(document)
        return
    for half in ("touch", "bounce"):
        found = document[half]
        assert isinstance(found, dict)  # noqa: S101 - made two lines above
        say(f"{half}: log loss {found['log_loss']:.5f} after {found['trials']} trials")
        write_fields(found["params"])
    say(
        f"{document['trials_counted']} configurations were tried so far;"
        " tradedeck train gaps --tuned uses the best"
    )


def show_model(
    context: typer.Context,
    version: Annotated[str, typer.Argument(metavar="VERSION")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """One model: its scores out of time and out of fold, and what its inputs are worth."""
    at = given(context, config, None)
    at.settings()

    from tui.wiring.shelf import list_models

    found = next((one for one in list_models(at.home) if one["version"] == version), None)
    if found is None:
        raise UsageError(f"there is no model {version}", "tradedeck models lists those there are")
    if as_json:
        write_json(found)
    else:
        _write_model(found)
    if found["problem"]:
        raise typer.Exit(_CORRUPT)


def verify_models(
    context: typer.Context,
    versions: Annotated[list[str] | None, typer.Argument(metavar="[VERSION...]")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Check hashes, signatures and inputs, and try each model in a process of its own."""
    at = given(context, config, None)
    at.settings()

    from tui.wiring.shelf import verify_models as verify

    with keeping("Nothing was changed"):
        found = verify(at.home, tuple(versions or ()))
    if as_json:
        write_json(found)
    elif found:
        rows = [{**one, "result": "refused" if one["problem"] else "sound"} for one in found]
        write_table(
            rows, (Column("version", "version"), Column("result", "result"), Column("problem", "problem"))
        )
    else:
        say("no model is registered")
    if any(one["problem"] for one in found):
        raise typer.Exit(_CORRUPT)


def move_model(
    context: typer.Context,
    version: Annotated[str, typer.Argument(metavar="VERSION")],
    stage: Annotated[str, typer.Argument(metavar="shadow|canary|live|retired")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept with the move.")],
    config: ConfigOption = None,
) -> None:
    """Bring a model to its next stage."""
    at = given(context, config, None)
    at.settings()

    import time

    from storage.model_registry import Stage
    from tui.wiring.shelf import move_model as move

    try:
        wanted = Stage(stage)
    except ValueError as error:
        raise UsageError(f"{stage}: not a stage", f"Use {', '.join(Stage)}") from error
    move(at.home, version, wanted, time.time_ns() // 1000, me().name, reason)
    say(f"{version} is {wanted}")


def _options(
    at: Given,
    files: "tuple[Path, ...]",
    vix: "Path | None",
    spy: "Path | None",
    days: tuple[date | None, date | None],
    extended: bool,
    jobs: int,
) -> "LearnOptions":
    check_files(*files, vix, spy)
    first, last = days
    if first is not None and last is not None and last < first:
        raise UsageError(f"--to {last} is before --from {first}", "Name the earlier day with --from")
    settings = at.settings()

    from tui.wiring.learning import LearnOptions  # numpy, the engine and the store: 1 s
    from tui.wiring.market import BarInputs

    return LearnOptions(settings, at.home, at.paths, BarInputs(files, vix, spy), first, last, extended, jobs)


def _line(one: Mapping[str, Any]) -> dict[str, object]:
    """What a list shows of a model."""
    data, judged = one.get("data", {}), one.get("metrics", {}).get("walk_forward", {})
    auc = judged.get("traded", {}).get("p_revert", {}).get("auc")
    return {
        **one,
        "rows": data.get("rows"),
        "last": data.get("last"),
        "auc": None if auc is None else f"{auc:.3f}",
    }


def _standing(one: Mapping[str, Any]) -> str:
    if one["usable"]:
        return "its past quarters speak for it"
    return "it is unproved: " + "; ".join(one["failings"])


def _write_model(one: Mapping[str, Any]) -> None:
    keys = ("version", "stage", "created", "signed", "usable", "parent", "seed", "problem")
    fields = {key: one.get(key) for key in keys}
    data = one.get("data", {})
    write_fields(fields | {"gaps": data.get("rows"), "from": data.get("first"), "until": data.get("last")})
    for failing in one.get("failings", ()):
        say(f"unproved: {failing}")
    rows = list(_skills(one.get("metrics", {})))
    if rows:
        write_table(rows, SKILLS)
    worth = [
        {"of": half, "feature": found["feature"], **_rounded(found, ("gain", "cost", "low", "high"))}
        for half, each in one.get("importance", {}).items()
        for found in each
    ]
    if worth:
        write_table(worth, WORTH)


def _skills(metrics: Mapping[str, Any]) -> "Sequence[dict[str, object]]":
    found = [
        (f"p_{half}" if half == "touch" else "q_bounce", "out of fold", scores)
        for half, scores in metrics.get("cross_validation", {}).items()
    ]
    for members, judged in metrics.get("walk_forward", {}).items():
        found += [
            (name, f"{members}, out of time", judged[name]) for name in ("p_touch", "q_bounce", "p_revert")
        ]
    numbers = ("brier", "base_brier", "auc", "ece", "perfect_ece")
    return [{"of": of, "on": on, "n": scores["n"], **_rounded(scores, numbers)} for of, on, scores in found]


def _rounded(values: Mapping[str, Any], keys: Sequence[str]) -> dict[str, object]:
    return {key: None if values[key] is None else f"{values[key]:.4f}" for key in keys}
