"""What memory changed of how gaps decides, and what only a person may do about it (SPEC 3.11)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import UsageError
from tui.commands.asking import end, with_engine
from tui.commands.common import ConfigOption, JsonOption, StateOption, given, me
from tui.commands.output import keeping, write_json, write_line

if TYPE_CHECKING:
    from engine.model.commands import Command

policies = typer.Typer(
    help="Thresholds that memory moved, and frozen strategies.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
STRATEGY = "gaps"
"""The one strategy whose memory adapts."""
StepArgument = Annotated[str, typer.Argument(metavar="STEP", help="Like P-3.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    policies.callback()(policy)
    policies.command("show")(show)
    policies.command("accept")(accept)
    policies.command("revert")(revert)
    policies.command("release")(release)
    policies.command("evidence")(evidence)
    app.add_typer(policies, name="policy")


def policy(
    context: typer.Context,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """What memory moved, what waits for you, and what is frozen."""
    at = given(context, config, state)
    context.obj = at
    if context.invoked_subcommand is not None:
        return
    from engine.model.ids import StrategyName  # the database and numpy: 0.2 s
    from tui.policies import policy_document, policy_lines
    from tui.stored import one_journal
    from tui.wiring.market import open_sessions

    with one_journal(at.paths) as journal:
        document = policy_document(journal, StrategyName(STRATEGY), open_sessions(at.home))
    if as_json:
        write_json(document)
        return
    for line in policy_lines(document):
        write_line(line)


def show(
    context: typer.Context,
    step: Annotated[str | None, typer.Argument(metavar="STEP", help="Only this one, like P-3.")] = None,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """How the policy came about: every configuration and step, with the trades behind it."""
    from engine.model.ids import StrategyName  # the database and numpy: 0.2 s
    from tui.policies import history_document, step_line
    from tui.stored import one_journal

    with one_journal(given(context, config, state).paths) as journal:
        found = history_document(journal, StrategyName(STRATEGY))
    if step is not None:
        wanted = step.strip().upper()
        named = (wanted, f"P-{wanted}")
        chosen = [each for each in found if each["step"] in named or each["id"] == wanted]
        if not chosen:
            names = ", ".join(each["step"] for each in found if each["step"]) or "none"
            raise UsageError(f"there is no step {step}", f"Steps: {names}")
        found = chosen
    if as_json:
        write_json(found)
        return
    for each in found:
        write_line(step_line(each))
        if step is not None:
            write_line(f"  trades behind it: {', '.join(each['trades']) or 'none'}")


def accept(
    context: typer.Context,
    step: StepArgument,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Apply a step of policy that waits."""
    from engine.model.commands import AcceptPolicy  # keeps --help quick

    _give(context, AcceptPolicy(step, me()), as_json, state, config)


def revert(
    context: typer.Context,
    step: StepArgument,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Take an applied step back; that is a step of its own."""
    from engine.model.commands import RevertPolicy  # keeps --help quick

    _give(context, RevertPolicy(step, me()), as_json, state, config)


def release(
    context: typer.Context,
    strategy: Annotated[str, typer.Argument(metavar="STRATEGY", help="The frozen strategy's name.")],
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Let a strategy propose again that a compliance finding froze."""
    from engine.model.commands import ReleaseStrategy  # keeps --help quick
    from engine.model.ids import StrategyName

    _give(context, ReleaseStrategy(StrategyName(strategy), me()), as_json, state, config)


def evidence(
    context: typer.Context,
    report: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="gaps-full.json of a back-test's report.")
    ] = None,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """What past proposals say of an edge; with FILE its walk-forward proposals are kept beside your own."""
    from tui.evidence import evidence_document, evidence_lines  # the database and numpy: 0.2 s

    at = given(context, config, state)
    if report is not None:
        from storage.past_proposals import keep_report

        keep_report(report, at.home.data)
    document = evidence_document(at.paths, at.settings().config.gaps)
    if as_json:
        write_json(document)
        return
    for line in evidence_lines(document):
        write_line(line)


def _give(
    context: typer.Context, command: "Command", as_json: bool, state: str | None, config: Path | None
) -> None:
    with keeping("The engine may have carried it out: look with tradedeck policy show"):
        end(with_engine(given(context, config, state), lambda link: link.give(command)), as_json)
