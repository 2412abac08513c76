"""How the numbers of a study are written in a report; what is not known is an en dash, never 0."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NONE = "–"


def percent(value: Any, decimals: int = 2) -> str:
    """A fraction as percent, signed."""
    return NONE if value is None else f"{100 * float(value):+.{decimals}f} %"


def share(value: Any, decimals: int = 1) -> str:
    """A fraction as percent, without a sign."""
    return NONE if value is None else f"{100 * float(value):.{decimals}f} %"


def number(value: Any, decimals: int = 2) -> str:
    """A ratio."""
    return NONE if value is None else f"{float(value):.{decimals}f}"


def count(value: Any) -> str:
    """A number of things."""
    return NONE if value is None else f"{int(value):,}"


def interval(low: Any, high: Any, write: Any = percent) -> str:
    """From low to high."""
    return NONE if low is None or high is None else f"{write(low)} to {write(high)}"


Table = tuple[Sequence[str], list[list[str]]]
"""Heads and rows of cells."""


def funnel_table(document: Mapping[str, Any]) -> Table:
    """Candidates left after each step, by year."""
    years = sorted({year for step in document["funnel"] for year in step["by_year"]})
    rows = [
        [step["gate"], count(step["total"]), *(count(step["by_year"].get(year, 0)) for year in years)]
        for step in document["funnel"]
    ]
    return ("left after", "all", *years), rows


def gates_table(document: Mapping[str, Any]) -> Table:
    """The share of the candidates that each gate alone lets through."""
    regimes = sorted({name for gate in document["gates"] for name in gate["by_regime"]})
    rows = [
        [gate["gate"], share(gate["pass_rate"]), *(share(gate["by_regime"].get(name)) for name in regimes)]
        for gate in document["gates"]
    ]
    return ("gate", "passes", *regimes), rows


def results_table(document: Mapping[str, Any]) -> Table:
    """The results at each cost, and the naive rule in the same account."""
    columns = {**document["results"], "naive, 1x": document["baselines"]["naive"]}
    spy = document["baselines"]["buy_and_hold_spy"] or {}
    rows = [
        [label, *(write(one) for one in columns.values()), write_spy(spy) if spy else NONE]
        for label, write, write_spy in _RESULT_ROWS
    ]
    return ("", *columns, "SPY held"), rows


def _rate(one: Mapping[str, Any]) -> str:
    rate = one["trades"]["rate"]
    if rate["ratio"] is None:
        return NONE
    bounds = interval(rate["low"], rate["high"], share)
    return f"{share(rate['ratio'])} ({rate['wins']:,} of {rate['n']:,}; 90 %: {bounds})"


def _sharpe(one: Mapping[str, Any]) -> str:
    account = one["account"]
    if account["sharpe"] is None:
        return NONE
    bounds = interval(account["sharpe_low"], account["sharpe_high"], number)
    return f"{number(account['sharpe'])} (95 %: {bounds})"


def _deflated(one: Mapping[str, Any]) -> str:
    found = one["account"]["deflated"]
    return NONE if found is None else f"{number(found['probability'])} of {found['trials']:,} trials"


def _none(_: Mapping[str, Any]) -> str:
    return NONE


_RESULT_ROWS: tuple[tuple[str, Any, Any], ...] = (
    ("trades", lambda one: count(one["trades"]["rate"]["n"]), _none),
    ("won", _rate, _none),
    ("mean net return of a trade", lambda one: percent(one["trades"]["mean"], 3), _none),
    ("median", lambda one: percent(one["trades"]["median"], 3), _none),
    ("profit factor", lambda one: number(one["trades"]["profit_factor"]), _none),
    ("payoff", lambda one: number(one["trades"]["payoff"]), _none),
    ("mean sessions held", lambda one: number(one["trades"]["sessions"]), _none),
    ("longest losing run", lambda one: count(one["trades"]["losing_run"]), _none),
    ("mean worst moment of a trade", lambda one: percent(one["trades"]["mean_adverse"]), _none),
    ("mean best moment of a trade", lambda one: percent(one["trades"]["mean_favorable"]), _none),
    (
        "return of the account",
        lambda one: percent(one["account"]["total"]),
        lambda spy: percent(spy["total"]),
    ),
    ("a year", lambda one: percent(one["account"]["yearly"]), lambda spy: percent(spy["yearly"])),
    ("volatility a year", lambda one: share(one["account"]["volatility"]), _none),
    ("Sharpe ratio", _sharpe, lambda spy: number(spy["sharpe"])),
    ("deflated Sharpe probability", _deflated, _none),
    ("Sortino ratio", lambda one: number(one["account"]["sortino"]), _none),
    (
        "largest drawdown",
        lambda one: share(one["account"]["max_drawdown"]),
        lambda spy: share(spy["max_drawdown"]),
    ),
    ("Calmar ratio", lambda one: number(one["account"]["calmar"]), _none),
    ("sessions with a position", lambda one: share(one["account"]["invested"]), _none),
    ("mean share in positions", lambda one: share(one["account"]["gross"]), _none),
    ("turnover a session", lambda one: share(one["account"]["turnover"], 3), _none),
)


def split_table(groups: Mapping[str, Any], head: str) -> Table:
    """Trades of each year or regime."""
    rows = [
        [
            name,
            count(one["trades"]),
            share(one["win_rate"]),
            interval(one["win_low"], one["win_high"], share),
            percent(one["mean_net"], 3),
        ]
        for name, one in groups.items()
    ]
    return (head, "trades", "won", "90 %", "mean net"), rows


def sensitivity_table(document: Mapping[str, Any]) -> Table:
    """What moving one threshold at a time does."""
    rows = [
        [
            f"{one['key']} {one['change']}",
            f"{one['value']:g}",
            count(one["trades"]),
            share(one["win_rate"]),
            percent(one["mean_net"], 3),
            number(one["sharpe"]),
            percent(one["total"]),
        ]
        for one in document["sensitivity"]
    ]
    return ("moved", "to", "trades", "won", "mean net", "Sharpe", "account"), rows


def evidence_table(document: Mapping[str, Any]) -> Table:
    """How the evidence stood before each quarter."""
    rows = [
        [
            one["day"],
            count(one["n"]),
            count(one["sessions"]),
            percent(one["mean"], 3),
            percent(one["bound"], 3),
            "open" if one["is_shown"] else "shut",
        ]
        for one in document["evidence"]["over_time"]
    ]
    return ("before", "trades", "sessions", "mean net", "95 % above", "gate"), rows


def chance_table(document: Mapping[str, Any]) -> Table:
    """Monte Carlo at 1x cost: bootstrapped sessions, and the trades in other orders."""
    account = document["results"]["1x"]["account"]
    rows = []
    for name, found in (
        ("sessions in blocks of 5", account["paths"]),
        ("trades shuffled", account["orders"]),
    ):
        if found is not None:
            rows.append(
                [
                    name,
                    count(found["paths"]),
                    percent(found["low"]),
                    percent(found["median"]),
                    percent(found["high"]),
                    share(found["fall"]),
                    share(found["p_loss"]),
                    share(found["p_ruin"]),
                ]
            )
    heads = (
        "paths of",
        "number",
        "5 %",
        "50 %",
        "95 %",
        "95 % drawdown",
        "ends below start",
        "reaches -15 %",
    )
    return heads, rows


def skill_table(document: Mapping[str, Any]) -> Table:
    """How good the chances were on what is traded, out of time."""
    rows = []
    for name, one in document["models"].get("skill", {}).items():
        rows.append(
            [
                name,
                count(one["n"]),
                share(one["share"]),
                number(one["brier"], 4),
                number(one["base_brier"], 4),
                percent(one["gain"]),
                number(one["auc"], 3),
                number(one["log_loss"], 4),
                number(one["ece"], 3),
                number(one["perfect_ece"], 3),
            ]
        )
    heads = (
        "chance",
        "events",
        "happened",
        "Brier",
        "base rate's",
        "gain",
        "AUC",
        "log loss",
        "ECE",
        "perfect",
    )
    return heads, rows


def evidence_words(document: Mapping[str, Any]) -> str:
    """Whether the evidence gate opened, in a sentence."""
    found = document["evidence"]
    opened = found["opened"]
    if found["n"] == 0:
        return "The evidence gate never opened: there is not one trade."
    numbers = (
        f"{found['n']:,} trades on {found['sessions']:,} sessions, mean net {percent(found['mean'], 3)},"
        f" with 95 % confidence above {percent(found['bound'], 3)}"
    )
    needed = "needed are 100 trades on 60 sessions and a bound above 0"
    if opened is None:
        return f"The evidence gate never opened: {numbers}; {needed}."
    state = "and stands open" if found["is_shown"] else "and is shut again"
    return f"The evidence gate opened on {opened} {state}: {numbers}; {needed}."


def lines_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """What does not apply to a dataset, one line each."""
    return [f"{one['gate']}: would have decided {one['candidates']:,} candidates" for one in rows]
