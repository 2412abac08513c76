"""How a short English text sounds: VADER (Hutto and Gilbert 2014) with the words of finance and crypto.

VADER was made for social media. It has no word for `files for chapter 11` or `rug pull`, and it takes the
names of things (`shares`, `security`, `interest`) for praise; the tables below put both right.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.model.text import legible

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

LONGEST_TEXT = 500
"""Characters that are read; the rest of a longer text is not."""
_CACHED_TEXTS = 4_096
ROCKET = "\U0001f680"
VALENCES: dict[float, str] = {
    -3.8: "bankruptcy, bankrupt, chapter 11, chapter 7, insolvent, insolvency, ponzi, rug pull, rug pulls,"
    " rug pulled, rugpull, rugpulled, exit scam, honeypot, fraud, fraudulent, defrauded, accounting"
    " fraud",
    -3.4: "delist, delists, delisted, delisting, going concern, restatement, restate, restates, restated,"
    " trading halt, trading halted, trading suspended, suspends trading, failed trial, trial failed,"
    " clinical hold, auditor resigns, auditor resigned, auditor resignation, liquidation, receivership,"
    " wells notice, pump and dump, drained, rugged, rekt, liquidity removed, liquidity pulled, hacked",
    -3.0: "subpoena, subpoenas, subpoenaed, sec investigation, sec probe, sec charges, indicted, indictment,"
    " default, defaults, defaulted, misses payment, missed payment, guidance cut, cuts guidance, cut"
    " guidance, guidance withdrawn, withdraws guidance, profit warning, complete response letter, fda"
    " rejects, fda rejection, fails to meet, missed primary endpoint, misses primary endpoint, exploit,"
    " trial missed, trial misses, misses endpoint, exploited, phishing, short seller report, short"
    " report, ngmi, dead coin",
    -2.6: "public offering, registered direct, stock offering, share offering, prices offering, dilution,"
    " dilutive, diluted offering, at the market offering, atm offering, convertible notes, reverse"
    " split, plunge, plunges, plunged, plunging, crashes, crashed, crash, collapses, collapsed, wiped"
    " out, lowers guidance, lowers outlook, cuts outlook, lowered guidance, class action, dumped on,"
    " bank run, misses earnings estimates, cut to underperform",
    -2.2: "offering, downgrade, downgrades, downgraded, misses estimates, missed estimates, misses"
    " expectations, earnings miss, revenue miss, tumble, tumbles, tumbled, slump, slumps, slumped,"
    " sinks, probe, investigation, recall, recalls, recalled, lawsuit, sued, sues, write down,"
    " writedown, impairment, dump, dumps, dumping, dumped, sell off, selloff, margin call, bearish,"
    " investigated",
    -1.7: "layoffs, lays off, job cuts, steps down, resigns, resigned, abrupt departure, slides, slid, drops,"
    " dropped, falls, fell, cuts dividend, suspends dividend, widening loss, wider loss, net loss,"
    " underperform, unlock, token unlock, fud, paper hands, delay, delays, delayed, weak demand",
    1.7: "partnership, new contract, wins contract, contract award, awarded contract, listing, listed on,"
    " outperform, insider buying, raises dividend, special dividend, climbs, climbed, rises, rose,"
    " rebound, rebounds, liquidity locked, audited, airdrop, hodl, gem, hidden gem, strong demand,"
    " narrower loss",
    2.2: "upgrade, upgrades, upgraded, buyback, share repurchase, beats estimates, beat estimates, tops"
    " estimates, beats expectations, beats earnings estimates, earnings beat, record revenue, record"
    " quarter, record profit, bullish, rally, rallies, rallied, mooning, diamond hands, wagmi, breakout,"
    " jumps, jumped",
    2.8: "raises guidance, raised guidance, raises outlook, fda approval, fda approves, fda approved, fda"
    " clearance, meets primary endpoint, met primary endpoint, surge, surges, surged, soar, soars,"
    " soared, skyrockets, to the moon, all time high, new high, to be acquired, takeover approach,"
    " buyout, takeover offer, " + ROCKET,
}
"""Valence, -4 (worst) to 4 (best) as VADER rates -> what has it. Whole words, any case; set by hand."""
NEUTRAL = (
    "by default, shares outstanding, outstanding shares, active, agreement, agreements, asset, assets,"
    " cancer, care, credit, credits, crude, debt, defense, energy, grand, grant, grants, gross,"
    " intelligence, interest, interests, natural, novel, pain, pleased, security, securities, share,"
    " shares, special, top, treasure, trust, trusts, tumor, united, value, values, weapon, weapons"
)
"""Words that name things in this trade; VADER would hear a feeling in them."""
FILLERS = ("its", "their", "quarterly", "annual", "full", "year", "fiscal", "phase")
"""May stand, up to three of them, between the words of a phrase."""


@lru_cache(maxsize=_CACHED_TEXTS)
def score(text: str) -> float:
    """Feeling of a headline or post, -1 (worst) to 1 (best); 0 for a text without a word that it knows.

    VADER's compound score: the sum s of valences as s / sqrt(s * s + 15). Of at most LONGEST_TEXT characters.
    """
    heard = _PHRASES.sub(_joined, legible(text, LONGEST_TEXT))
    compound = float(_analyzer().polarity_scores(heard)["compound"]) if heard.strip() else 0.0
    return min(1.0, max(-1.0, compound))


def _split(words: str) -> list[str]:
    return [word.strip() for word in words.split(",")]


def _token(phrase: str) -> str:
    """One word for VADER, which takes texts apart at blanks."""
    if phrase == ROCKET:
        return "to_the_moon"
    return "_".join(word for word in re.split(r"[\s-]+", phrase.lower()) if word not in FILLERS)


def _pattern(phrases: list[str]) -> re.Pattern[str]:
    # Longest first, so that the parts of a phrase are not taken one by one.
    ordered = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    between = rf"[\s-]+(?:(?:{'|'.join(FILLERS)})[\s-]+){{0,3}}"
    choices = "|".join(between.join(map(re.escape, phrase.split())) for phrase in ordered)
    return re.compile(rf"(?<!\w)(?:{choices})(?!\w)", re.IGNORECASE)


def _joined(match: re.Match[str]) -> str:
    token = _token(match[0])
    # A blank on each side: VADER keeps a sign that touches a word as a part of it.
    return f" {token.upper() if match[0].isupper() else token} "


_VALENCE_OF = {word: valence for valence, words in VALENCES.items() for word in _split(words)}
_NEUTRAL = frozenset(_split(NEUTRAL))
_PHRASES = _pattern([word for word in (*_VALENCE_OF, *_NEUTRAL) if " " in word or not word.isalnum()])


@lru_cache(maxsize=1)
def _analyzer() -> "SentimentIntensityAnalyzer":
    # Here and not above: reading its word list takes a while, and most commands score nothing.
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    analyzer.lexicon.update({_token(word): valence for word, valence in _VALENCE_OF.items()})
    for word in _NEUTRAL:
        analyzer.lexicon.pop(word, None)
    return analyzer
