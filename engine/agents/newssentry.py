"""Bad news about the company: severe terms in its headlines, and how they sound (SPEC 3.4, 3.4.2)."""

from dataclasses import replace

from engine.agents.base import AgentContext, Objection, verdict
from engine.agents.notes import against, age, clip
from engine.features.lexicon import score
from engine.features.news import DAY_US, NEGATIVE_BELOW, distinct, known, news_sentiment_24h
from engine.features.severe import SEVERE_ITEMS, severe_term
from engine.model.candidates import AgentReport, GapCandidate, Vote
from engine.model.market import Headline, Provenance
from engine.model.positions import AccountKind
from engine.money import EPSILON
from engine.state import MAX_HEADLINES, MAX_TITLE
from engine.strategies.base import StrategyContext
from engine.strategies.gaps_company_checks import filings_of

WINDOW_US = 3 * DAY_US
"""A severe headline counts so long: what was told on a Friday evening still counts on Monday."""
SENTIMENT_MIN = -0.5
_MAX_REASONS = 3
_QUOTED = 80
"""Characters of a title in a reason."""


class NewsSentry:
    """Hard veto for a severe headline or filing of 72 h, a mute source and unread news.

    Soft veto for bad sentiment of 24 h. Without a source of headlines it abstains, unless a filing is severe.
    """

    name = "newssentry"

    def judge(self, candidate: GapCandidate, context: AgentContext) -> AgentReport:
        market = context.market
        filed = _filed(candidate, market)
        if market.headlines is None and filed:
            return verdict(self.name, filed, True, ())
        if market.headlines is None:
            reason = "no_source: no source of headlines is connected, so this vote is left out of the count"
            return AgentReport(self.name, Vote.ABSTAIN, False, (reason,), "no_source")
        if market.news_mute:
            reason = f"the news are not known: {market.news_mute}"
            mute = Objection(reason, "news not known", market.news_mute, "a source that speaks")
            return verdict(self.name, [mute], True, ())
        now_us = market.now_us
        found = known(market.headlines(candidate.instrument), now_us, WINDOW_US)
        hard = [*_unfit(found, market.account_kind), *_unread(found), *filed, *_severe(found, now_us)]
        mean = news_sentiment_24h(found, now_us)
        weak = []
        if mean is not None and mean < SENTIMENT_MIN - EPSILON:
            reason = f"news sentiment {mean:.2f} of 24 h is below the limit {SENTIMENT_MIN:.2f}"
            note = against("news", mean, "<", SENTIMENT_MIN)
            weak = [Objection(reason, note, f"news {mean:.2f}", f">= {SENTIMENT_MIN:.2f}")]
        report = verdict(self.name, hard + weak, bool(hard), (_count_words(found, now_us), _mean_words(mean)))
        if report.vote is Vote.APPROVE and mean is not None and mean < NEGATIVE_BELOW - EPSILON:
            return replace(report, score=mean, note=against("news", mean, "<", NEGATIVE_BELOW))
        return replace(report, score=mean)


def _filed(candidate: GapCandidate, market: StrategyContext) -> list[Objection]:
    """Severe items of forms 8-K, newest first."""
    facts = None if market.company is None else market.company(candidate.instrument)
    objections = []
    for filing in filings_of(market, facts):
        severe = [item for item in filing.items if item in SEVERE_ITEMS]
        filed_us = max(0, market.now_us - filing.ts_event)
        if severe and filed_us < WINDOW_US:
            told, items = age(filed_us), ", ".join(severe)
            reason = f"severe filing, 8-K item {items}, {told} ago, limit none in {age(WINDOW_US)}"
            limit = f"no severe filing in {age(WINDOW_US)}"
            objections.append(Objection(reason, clip(f"8-K {items}"), f"8-K {items} {told} ago", limit))
    return objections[:_MAX_REASONS]


def _unfit(found: list[Headline], kind: AccountKind) -> list[Objection]:
    """What is made up or replayed decides nothing where money is real or the market is (SPEC 5.6)."""
    made_up = next((item for item in found if item.provenance is not Provenance.LIVE), None)
    if made_up is None or kind is AccountKind.SIMULATION:
        return []
    reason = f"a {made_up.provenance} headline decides nothing on a {kind} account"
    return [Objection(reason, clip(f"{made_up.provenance} news"), made_up.provenance, Provenance.LIVE)]


def _unread(found: list[Headline]) -> list[Objection]:
    """What was not kept may have been bad news."""
    if len(found) >= MAX_HEADLINES:
        reason = f"{len(found)} headlines in {age(WINDOW_US)}, no more than {MAX_HEADLINES} are kept"
        return [Objection(reason, "too much news", f"{len(found)} headlines", f"< {MAX_HEADLINES}")]
    longest = max((len(item.title) for item in found), default=0)
    if longest < MAX_TITLE:
        return []
    reason = f"a headline of {longest} characters or more was not read to its end"
    return [Objection(reason, "news too long", f"{longest} characters", f"< {MAX_TITLE} characters")]


def _severe(found: list[Headline], now_us: int) -> list[Objection]:
    """The newest first, a title told twice once."""
    objections = []
    bad = [item for item in reversed(found) if severe_term(item.title) is not None]
    for item in distinct(bad)[:_MAX_REASONS]:
        term = severe_term(item.title) or ""
        told = age(max(0, now_us - item.ts_event))
        title = item.title if len(item.title) <= _QUOTED else f"{item.title[: _QUOTED - 1]}…"
        filing = term.startswith("8-K")
        objections.append(
            Objection(
                f'severe news, {term}, {told} ago, limit none in {age(WINDOW_US)}: "{title}" ({item.source})',
                clip(term if filing else f"news: {term}"),
                f"{term} {told} ago",
                f"no severe headline in {age(WINDOW_US)}",
            )
        )
    return objections


def _count_words(found: list[Headline], now_us: int) -> str:
    """`4 headlines, worst -.11`, of one day."""
    titles = distinct(known(found, now_us))
    if not titles:
        return f"no headline in {age(DAY_US)}"
    worst = min(score(item.title) for item in titles)
    return f"{len(titles)} headline{'s' * (len(titles) > 1)}, worst {worst:.2f}"


def _mean_words(mean: float | None) -> str:
    return "" if mean is None else f"news sentiment {mean:.2f}, limit {SENTIMENT_MIN:.2f}"
