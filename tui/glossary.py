"""The words of the console explained: one sentence each, with what it counts in."""

from dataclasses import dataclass

_ANY = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Term:
    """`screens`: where it stands, by the names of `tui.actions.SCREENS`; none: everywhere."""

    name: str
    meaning: str
    screens: frozenset[str] = _ANY


_GAPS = frozenset({"desk", "gaps"})
_GEMS = frozenset({"desk", "gems"})
_BRACKETS = frozenset({"desk", "gaps", "orders", "portfolio"})
_BOOKS = frozenset({"portfolio", "risk"})
_PORTFOLIO = frozenset({"portfolio"})
_RISK = frozenset({"risk"})
_HEALTH = frozenset({"health"})

TERMS = (
    Term("ticket", "T-18: one exact order with stop and target; nothing is sent until you approve it", _GAPS),
    Term("gap%", "open against the close before, after splits and dividends", _GAPS),
    Term("votes", "Sentinel, Screener, Forecaster, RiskOfficer, NewsSentry, Trader, in this order", _GAPS),
    Term("entries 3/3", "the strategy opens at most three positions a day; others had the larger gap", _GAPS),
    Term("ADV", "mean traded value of a day, in USD, of the last 20 days", _GAPS),
    Term("q", "chance that the target is reached before the stop, 0 to 1; – without a model", _GAPS),
    Term("touch", "tch: chance that the target is touched at all within five sessions", _GAPS),
    Term(
        "BCS",
        "bounce score of a gap, 0 to 10: chance, size, oversold, volume, trend, regime, liquidity",
        _GAPS,
    ),
    Term("EV", "EV%: expected net return of the trade after costs, from q and touch", _GAPS),
    Term("regime", "what SPY and the VIX say of the whole market; a bad one stops entries", _GAPS | _RISK),
    Term(
        "GemScore",
        "0 to 100: eight parts times their weights; a part that is not known adds nothing; 70 may be flagged",
        _GEMS,
    ),
    Term(
        "parts",
        "eight bars: sentiment 15, accumulation 20, on-chain 15, liquidity 10, tokenomics 12, contract "
        "safety 12, narrative 8, community 8 of 100; · is not known",
        _GEMS,
    ),
    Term("conf", "confidence, 0 to 100: how much of the score's inputs is known, and how fresh", _GEMS),
    Term("signals", "parts of .6 or more among the five of flow and talk; a flag needs three", _GEMS),
    Term("flagged", "score, safety, confidence and signals all pass: worth your look, no order", _GEMS),
    Term("safety", "pass, caution, ■ block by a gate, ? not proved; unproved is never a pass", _GEMS),
    Term("LP 31%", "share of the pool's liquidity that is locked; under 50 % it can be pulled out", _GEMS),
    Term("freezable", "someone can freeze your tokens, so that they cannot be sold", _GEMS),
    Term("tax 14%", "what the contract itself takes of each trade; above 10 % blocks", _GEMS),
    Term(
        "bracket",
        "B-18: the entry of ticket T-18 with its stop and target; one exit cancels the other",
        _BRACKETS,
    ),
    Term("rail", "├ stop, ┼ entry, ● last price, ┤ target", _BRACKETS),
    Term("protected", "the stop rests where it works without this program", _BRACKETS),
    Term("d1/5", "session 1 of 5: after the fifth the position is closed", _BRACKETS),
    Term("UNKNOWN", "the answer to an order was lost; it is asked about, never sent twice", _BRACKETS),
    Term("factor", "what winning trades made over what losing ones lost; – where none lost", _PORTFOLIO),
    Term("mean", "expectancy: profit of a trade on average, after fees", _PORTFOLIO),
    Term("n<20", "under 20 closed trades no ratio of them is meaningful", _PORTFOLIO),
    Term("win rate", "closed trades that made money, with the interval that holds it 9 times in 10", _BOOKS),
    Term(
        "Sharpe", "mean daily return over its deviation, for a year; not meaningful under 20 trades", _BOOKS
    ),
    Term("drawdown", "how far the account is below its highest value", _BOOKS),
    Term("L1 L2 L3", "drawdown 5 %: sizes halved; 10 %: conservative only; 15 %: stopped", _BOOKS),
    Term("VaR 95%", "loss that one day in twenty exceeds, of what is held now", _BOOKS),
    Term("breaker", "of a source: off after too many failures, tried again later", _HEALTH),
    Term("loop lag", "how late the engine comes to its work", _HEALTH),
    Term("audit chain", "every line carries the hash of the one before: none can be changed unseen", _HEALTH),
    Term("halted", "no new orders; stops stay; R resumes when every order's fate is known"),
    Term("4x 120x", "pace of the market: slow while a ticket waits; space goes on, its tickets expire"),
    Term("sha256", "fingerprint of everything on the ticket; the approval carries it"),
)


def terms_for(screen: str) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """Those of a screen, and all others, each in the order of the table."""
    here = tuple(term for term in TERMS if screen in term.screens)
    return here, tuple(term for term in TERMS if screen not in term.screens)
