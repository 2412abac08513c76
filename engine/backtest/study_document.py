"""A study as one plain document: what JSON, Markdown and HTML are written from. Ratios stay fractions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.backtest.document import SURVIVORSHIP
from engine.backtest.figures import NetTrade, trade_table
from engine.backtest.full import NOT_IN_BARS, REGIMES
from engine.backtest.study import STEP, Result, Study, bracket_rule
from engine.strategies.evidence import PATHS

Document = dict[str, Any]
_DECIMALS = 10


def study_document(study: Study, with_rows: bool) -> Document:
    """Everything that a report says, warnings and what does not apply first."""
    rows, rule, result = study.rows, study.rule, study.results[1]
    document: Document = _plain(
        {
            "rule": "full",
            "warnings": _warnings(study),
            "not_applicable": _not_applicable(study),
            "data": {
                "symbols": len(study.tape.instruments),
                "bars": len(study.tape.open),
                "first": study.tape.sessions[0].isoformat(),
                "last": study.tape.sessions[-1].isoformat(),
                "judged_from": result.days[0].isoformat(),
                "judged_sessions": len(result.days),
            },
            "terms": _terms(study),
            "funnel": [
                {"gate": "gaps <= -3 %", **_by_year(study, np.ones(len(rows.panel), dtype=np.bool_))},
                *({"gate": name, **_by_year(study, left)} for name, left in study.passed.items()),
                {"gate": "taken", **_taken_by_year(result)},
            ],
            "gates": _alone(study),
            "results": {f"{multiple}x": _result(found) for multiple, found in study.results.items()},
            "denied": dict(result.denied),
            "by_year": _split(result.trades, lambda trade: str(trade.session.year)),
            "by_regime": _by_regime(study, result),
            "evidence": _evidence(study),
            "sensitivity": [
                {
                    "key": one.key,
                    "value": one.value,
                    "change": f"{100 * (one.factor - 1):+.0f} %",
                    "trades": one.table.rate.n,
                    "win_rate": one.table.rate.ratio,
                    "mean_net": one.table.mean,
                    "sharpe": one.sharpe,
                    "total": one.total,
                }
                for one in study.moved
            ],
            "baselines": {
                "naive": _result(study.naive),
                "buy_and_hold_spy": None if study.spy is None else asdict(study.spy),
            },
            "models": _models(study),
            "curve": [
                {"day": day.isoformat(), "equity": equity, "fall": fall}
                for day, equity, fall in zip(
                    result.days, result.equity.tolist(), result.falls.tolist(), strict=True
                )
            ],
            "thresholds": asdict(rule.config),
            **({"rows": [_row(trade) for trade in result.trades]} if with_rows else {}),
        }
    )
    return document


def _warnings(study: Study) -> list[str]:
    config = study.terms.config
    lines = [
        SURVIVORSHIP,
        f"{study.terms.costs.spread_bps:g} bps of spread are assumed: the bars hold no quotes",
        f"{study.terms.trials} configurations were tried; the deflated Sharpe ratio counts them all",
    ]
    unproved = sum(not bool(study.rows.outlook.is_usable[row]) for row in _rows_of(study, study.results[1]))
    if unproved:
        lines.append(
            f"{unproved} of {len(study.results[1].trades)} trades rest on a model that had shown no skill"
            " by then: on a live account they would have been vetoed"
        )
    if not study.results[1].table.is_meaningful:
        lines.append("fewer than 20 trades: no ratio is meaningful")
    if config.allow_in_spy_stress:
        lines.append("entries in spy_stress are allowed")
    return lines


def _not_applicable(study: Study) -> list[Document]:
    """What would have decided the candidates that passed universe, gap and trigger."""
    decided = int(study.passed["dist 200"].sum())
    return [
        {"gate": gate, "status": "not_applicable(dataset)", "candidates": decided} for gate in NOT_IN_BARS
    ]


def _terms(study: Study) -> Document:
    terms = study.terms
    return {
        "initial_cash": terms.initial_cash,
        "spread_bps": terms.costs.spread_bps,
        "impact": terms.costs.impact,
        "trials": terms.trials,
        **asdict(bracket_rule(terms.config)),
    }


def _years(study: Study) -> np.ndarray:
    return np.asarray(study.rows.panel.day.astype("datetime64[Y]").astype(np.int64) + 1970)


def _by_year(study: Study, mask: np.ndarray) -> Document:
    years = _years(study)
    return {
        "total": int(mask.sum()),
        "by_year": {str(year): int(mask[years == year].sum()) for year in np.unique(years).tolist()},
    }


def _taken_by_year(result: Result) -> Document:
    counts: dict[str, int] = {}
    for trade in result.trades:
        counts[str(trade.session.year)] = counts.get(str(trade.session.year), 0) + 1
    return {"total": len(result.trades), "by_year": counts}


def _alone(study: Study) -> list[Document]:
    """Each gate by itself: its share of the candidates, which are gaps inside the limits, and by regime."""
    rule, rows = study.rule, study.rows
    at = np.flatnonzero(rule.fixed["gap"])
    moved, _ = rule.judge(at, study.terms.initial_cash)
    passing = {name: gate[at] for name, gate in rule.fixed.items()} | moved
    regime = rows.regime[at]
    return [
        {
            "gate": name,
            "candidates": len(at),
            "pass_rate": _share(gate),
            "by_regime": {
                str(one): _share(gate[regime == number])
                for number, one in enumerate(REGIMES)
                if (regime == number).any()
            },
        }
        for name, gate in passing.items()
    ]


def _share(gate: np.ndarray) -> float | None:
    return float(gate.mean()) if len(gate) else None


def _result(result: Result) -> Document:
    return {
        "trades": asdict(result.table) | {"is_meaningful": result.table.is_meaningful},
        "account": asdict(result.account),
    }


def _split(trades: Iterable[NetTrade], key: Callable[[NetTrade], str]) -> Document:
    groups: dict[str, list[NetTrade]] = {}
    for trade in trades:
        groups.setdefault(key(trade), []).append(trade)
    found = {}
    for name in sorted(groups):
        table = trade_table(groups[name])
        found[name] = {
            "trades": table.rate.n,
            "win_rate": table.rate.ratio,
            "win_low": table.rate.low,
            "win_high": table.rate.high,
            "mean_net": table.mean,
        }
    return found


def _rows_of(study: Study, result: Result) -> list[int]:
    at = {place: row for row, place in enumerate(study.rows.place.tolist())}
    return [at[trade.place] for trade in result.trades]


def _by_regime(study: Study, result: Result) -> Document:
    regimes = dict(zip((trade.place for trade in result.trades), _rows_of(study, result), strict=True))
    return _split(result.trades, lambda trade: str(REGIMES[int(study.rows.regime[regimes[trade.place]])]))


def _evidence(study: Study) -> Document:
    opened = study.opened
    return {
        **asdict(study.evidence),
        "is_shown": study.evidence.is_shown,
        "opened": None if opened is None else opened.isoformat(),
        "paths": PATHS,
        "over_time": [
            {"day": one.day.isoformat(), **asdict(one.evidence), "is_shown": one.evidence.is_shown}
            for one in study.path
        ],
    }


def _models(study: Study) -> Document:
    outlook = study.rows.outlook
    return {
        "ids": list(outlook.model_ids),
        "forecasts": int(outlook.is_there.sum()),
        "usable_share": float(outlook.is_usable[outlook.is_there].mean()) if outlook.is_there.any() else None,
    }


def _row(trade: NetTrade) -> Document:
    return {
        "symbol": trade.symbol,
        "date": trade.session.isoformat(),
        "left": trade.left.isoformat(),
        "entry": trade.entry,
        "exit": trade.exit,
        "exit_reason": trade.reason,
        "shares": trade.shares,
        "ret": trade.gross,
        "net": trade.net,
        "pnl": trade.pnl,
        "sessions": trade.sessions,
    }


def _plain(value: object) -> Any:
    """Numbers as JSON takes them: rounded to 10 decimals, what is no number as None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, float):
        return round(value, _DECIMALS) if np.isfinite(value) else None
    if isinstance(value, Sequence):
        return [_plain(one) for one in value]
    return str(value)


STEP_WORDS = f"+-{100 * STEP:.0f} %"
"""How far the sensitivity moves each threshold."""
