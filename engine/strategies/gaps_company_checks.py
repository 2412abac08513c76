"""Checks of the full rule on the company behind a symbol: listing, size, results, halts (SPEC 3.2.1, .6, .7).

A fact that no source told is not a no: it keeps the candidate out, except where a stored dataset can never
hold it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from engine.agents.notes import against, clip
from engine.clock import US_PER_S
from engine.model.candidates import FeatureValue
from engine.model.checks import Check, Step
from engine.model.company import CompanyFacts, Filing, ListingKind
from engine.strategies.base import StrategyContext
from engine.strategies.earnings import RESULTS_ITEM, EarningsWindow, earnings_view, sessions_away
from engine.strategies.gaps_check import PASS, judged, unknown
from engine.strategies.gaps_config import GapsConfig, UnknownEarnings
from engine.strategies.gaps_scan import Gap
from engine.strategies.gaps_study import is_fit
from engine.strategies.stoppages import Stoppage, stoppage_problem

EXCHANGES = ("NASDAQ", "NYSE", "AMEX")
NIGHT_US = 34_200 * US_PER_S
"""From midnight in New York to the open: halts of before the open are of the same day."""


def facts_of(context: StrategyContext, gap: Gap) -> CompanyFacts | None:
    """What is known of the company now; None: no source, or it knows nothing."""
    facts = None if context.company is None else context.company(gap.instrument)
    return facts if facts is not None and facts.known_us <= context.now_us else None


def company_checks(
    context: StrategyContext,
    gap: Gap,
    features: Mapping[str, FeatureValue],
    facts: CompanyFacts | None,
    config: GapsConfig,
) -> Iterator[Check]:
    """All of them, in the order of the funnel."""
    yield _listing(context, facts)
    yield _size(context, features["market_cap_usd"], config)
    yield _earnings(context, gap, facts, config)
    yield _halts(context, facts)


def filings_of(context: StrategyContext, facts: CompanyFacts | None) -> Sequence[Filing]:
    """Filings known by now that may decide on this account, newest first."""
    found = () if facts is None else facts.filings
    kind, now = context.account_kind, context.now_us
    return [filing for filing in found if filing.ts_known <= now and is_fit(filing.provenance, kind)]


def _listing(context: StrategyContext, facts: CompanyFacts | None) -> Check:
    limit = f"stock on {', '.join(EXCHANGES)}"
    listing = None if facts is None else facts.listing
    if listing is None or not is_fit(listing.provenance, context.account_kind):
        return unknown(context, Step.UNIVERSE, "listing", limit, "its listing is not known", in_dataset=True)
    problems = [
        words
        for is_bad, words in (
            (listing.exchange not in EXCHANGES, f"listed on {listing.exchange}"),
            (listing.kind is not ListingKind.STOCK, f"a {listing.kind}, not a stock"),
            (not listing.is_active, "not listed any more"),
            (not listing.is_tradable, "not tradable"),
        )
        if is_bad
    ]
    value = problems[0] if problems else f"stock on {listing.exchange}"
    reason = f"{'; '.join(problems)}, limit {limit}" if problems else f"{value}, tradable"
    return judged(Step.UNIVERSE, "listing", not problems, value, limit, reason, clip(value))


def _size(context: StrategyContext, worth: FeatureValue, config: GapsConfig) -> Check:
    limit = f">= {config.mcap_min_usd:,.0f} USD"
    if worth.value is None:
        what = "its market value is not known: no number of shares"
        return unknown(context, Step.UNIVERSE, "market cap", limit, what, in_dataset=True)
    holds = worth.value >= config.mcap_min_usd
    reason = f"market value {worth.value:,.0f} USD, limit {config.mcap_min_usd:,.0f}"
    note = against("cap", worth.value, "<", config.mcap_min_usd)
    return judged(Step.UNIVERSE, "market cap", holds, f"{worth.value:,.0f} USD", limit, reason, note)


def _earnings(context: StrategyContext, gap: Gap, facts: CompanyFacts | None, config: GapsConfig) -> Check:
    window = config.earnings_window_sessions
    limit = f"> {window} sessions from results"
    written = context.earnings_dates(gap.instrument)
    told = [filing.filed for filing in filings_of(context, facts) if RESULTS_ITEM in filing.items]
    if facts is None and not written and context.dataset:
        what = "days of results are not known"
        return unknown(context, Step.EARNINGS, "earnings", limit, what, in_dataset=True)
    if context.sessions_between is None:
        what = "earnings_unknown: no calendar is at hand to count sessions"
        return unknown(context, Step.EARNINGS, "earnings", limit, what)
    view = earnings_view(told, written, context.session)
    for window_of in view.windows:
        away = sessions_away(window_of, context.session, context.sessions_between)
        if away <= window:
            return _near(window_of, context.session, away, window, limit)
    if not view.unknown:
        words = "; ".join(found.words for found in view.windows)
        return judged(Step.EARNINGS, "earnings", True, words, limit, f"{words}, limit {window} sessions", "")
    reason = f"earnings_unknown: {view.unknown}"
    if config.earnings_unknown is UnknownEarnings.NOTE:
        return Check("earnings", Step.EARNINGS, PASS, "unknown", "noted only", f"{reason} (noted only)", "")
    return judged(Step.EARNINGS, "earnings", False, "unknown", limit, reason, "earnings unknown")


def _near(found: EarningsWindow, session: date, away: int, window: int, limit: str) -> Check:
    when = (
        "now"
        if away == 0
        else f"{away} session{'s' * (away > 1)} {'ahead' if session < found.first else 'ago'}"
    )
    reason = f"{found.words}: {when}, limit more than {window} sessions"
    return judged(Step.EARNINGS, "earnings", False, f"results {when}", limit, reason, f"earnings {when}")


def _halts(context: StrategyContext, facts: CompanyFacts | None) -> Check:
    if facts is None:
        what = "whether trading was halted is not known"
        return unknown(context, Step.HALTS, "halts", "not halted", what, in_dataset=True)
    stoppages = [
        Stoppage(halt.ts_event, halt.resumed_us)
        for halt in facts.halts
        if halt.ts_known <= context.now_us and is_fit(halt.provenance, context.account_kind)
    ]
    problem = stoppage_problem(stoppages, context.session_open_us - NIGHT_US, context.now_us)
    if problem is None:
        return judged(Step.HALTS, "halts", True, "not halted", "not halted", "no halt keeps it out", "")
    value, limit, reason = problem
    return judged(Step.HALTS, "halts", False, value, limit, reason, clip(value))
