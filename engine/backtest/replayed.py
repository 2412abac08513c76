"""The full rule as a replay of stored days trades it: free, a touch fills, prices as stored (SPEC 9.8)."""

from dataclasses import replace

import numpy as np

from engine.backtest.brackets import REASONS, BracketKernel
from engine.backtest.costs import FREE
from engine.backtest.document import TradeRow, TruncatedTrade
from engine.backtest.full import Decisions, FullRule, Rows, shares_of
from engine.backtest.study import Terms, bracket_rule, purse_of
from engine.model.ids import symbol_of


def replayed_rows(rows: Rows, terms: Terms) -> tuple[list[TradeRow], list[TruncatedTrade]]:
    """What `tradedeck replay` of the same days writes down, row by row. Slippage is estimated, never paid."""
    tape = rows.tape
    rule = FullRule(rows, terms.config, terms.risk, terms.costs.spread_bps)
    fills = replace(bracket_rule(terms.config), through_ticks=0, volume_share=None)
    kernel = BracketKernel(tape, fills, FREE, purse_of(terms, shares_of(rule, tape)))
    run = kernel.run(Decisions(rule, tape))
    found, truncated = [], []
    for trade in run.trades:
        symbol = symbol_of(tape.instruments[tape.owner[trade.place]])
        session, left = tape.sessions[tape.session[trade.place]], int(tape.table.left[trade.place])
        if left < terms.config.max_sessions:
            truncated.append(TruncatedTrade(symbol, session, trade.entry, left))
            continue
        found.append(
            TradeRow(
                symbol,
                session,
                trade.entry,
                trade.exit,
                REASONS[trade.reason],
                trade.exit / trade.entry - 1,
                trade.sessions,
            )
        )
    for place in np.sort(kernel.open_places()).tolist():
        symbol = symbol_of(tape.instruments[tape.owner[place]])
        session = tape.sessions[tape.session[place]]
        truncated.append(TruncatedTrade(symbol, session, tape.open[place], int(tape.table.left[place])))
    return found, truncated
