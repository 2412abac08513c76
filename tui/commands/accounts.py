"""What only a person may say of an account: money that came or went, and that a fall is over."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import UsageError
from tui.commands import asking
from tui.commands.common import ConfigOption, JsonOption, StateOption, given

accounts = typer.Typer(help="The money of an account, and its drawdown.", rich_markup_mode=None)
AmountArgument = Annotated[str, typer.Argument(metavar="AMOUNT", help="In the account's currency, like 500.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept in the audit log.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    accounts.command("deposit")(deposit)
    accounts.command("withdrawal")(withdrawal)
    accounts.command("release")(release)
    accounts.command("waive")(waive)
    app.add_typer(accounts, name="accounts")


def deposit(
    context: typer.Context,
    amount: AmountArgument,
    reason: ReasonOption,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Explain cash that the venue has and the books have not: a deposit, interest, a payment."""
    _settle(context, _amount(amount), reason, as_json, state, config)


def withdrawal(
    context: typer.Context,
    amount: AmountArgument,
    reason: ReasonOption,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Explain cash that the books have and the venue has not: a withdrawal, a charge, a tax."""
    _settle(context, -_amount(amount), reason, as_json, state, config)


def release(
    context: typer.Context,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's name, as it is written.")],
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Lift the stop of a fall by 15 % (L3): the drawdown is counted from now. A halt stays until resume."""
    asking.end(asking.release_breaker(given(context, config, state), account), as_json)


def waive(
    context: typer.Context,
    strategy: Annotated[str, typer.Argument(metavar="STRATEGY", help="Like gaps.")],
    phrase: Annotated[
        str, typer.Option("--phrase", metavar="TEXT", help='As it is asked for: "gaps WITHOUT EVIDENCE".')
    ],
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Let a strategy trade real money without evidence of an edge; every ticket says so from then on."""
    asking.end(asking.waive(given(context, config, state), strategy, phrase), as_json)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise UsageError(f"{text!r} is not an amount", "Write it like 500 or 12.34") from error
    if not amount.is_finite() or amount <= 0:
        raise UsageError(f"{text} is not an amount above 0", "Write it like 500 or 12.34")
    return amount


def _settle(
    context: typer.Context,
    difference: Decimal,
    reason: str,
    as_json: bool,
    state: str | None,
    config: Path | None,
) -> None:
    from engine.model.text import clean  # keeps --help quick

    if not clean(reason).strip():
        raise UsageError("--reason is empty", "Say in a few words where the money came from or went")
    asking.end(asking.settle(given(context, config, state), difference, clean(reason)), as_json)
