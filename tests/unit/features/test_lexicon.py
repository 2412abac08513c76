"""How headlines and posts sound: phrases of the trade, and words that only look like a feeling."""

import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from engine.features.lexicon import LONGEST_TEXT, NEUTRAL, VALENCES, score

BAD = (
    "Acme files for chapter 11 bankruptcy",
    "Acme files for Chapter-11",
    "rug pull",
    "Dev did a rug-pull this morning",
    "ORVX prices $20M public offering of common stock",
    "SEC investigation into Acme accounting",
    "Nasdaq delists Acme",
    "Substantial doubt as a going concern",
    "Trading halted in Acme",
    "Acme cuts guidance for the year",
    "FDA places clinical hold on lead drug",
    "Acme defaults on its convertible notes",
    "Auditor resigned over restatement",
    "This token is a honeypot",
    "Bridge exploited, pool drained",
    "We are rekt",
    "Acme misses quarterly earnings estimates",
    "Acme lowers its full-year outlook",
    "Mid-stage trial missed its main goal",
)
GOOD = (
    "Acme beats estimates, raises guidance",
    "FDA approves Acme's drug for cancer",
    "Acme shares rise on strong demand",
    "Acme to be acquired by a rival",
    "Acme beats quarterly estimates and raises its outlook",
    "Liquidity locked for a year, audited",
    "\U0001f680\U0001f680 wagmi",
)
FLAT = (
    "",
    "   ",
    "SEC files notice",
    "Acme announces first quarter results",
    "Acme to present at a conference",
    "Acme shares outstanding: 41 million",
    "Security and interest of the trust",
    "The window opens by default",
    "Kept by the chapterhouse of 1100",
)


@pytest.mark.parametrize("text", BAD)
def test_bad_news_of_the_trade_scores_below_minus_a_half(text: str) -> None:
    assert -1 <= score(text) < -0.5


@pytest.mark.parametrize("text", GOOD)
def test_good_news_of_the_trade_scores_above_zero(text: str) -> None:
    assert 0.3 < score(text) <= 1


@pytest.mark.parametrize("text", FLAT)
def test_a_text_without_a_feeling_scores_nothing(text: str) -> None:
    assert score(text) == 0


@pytest.mark.parametrize("text", ["files for chapter 11", "rug pull", "going concern doubt"])
def test_the_base_alone_does_not_hear_what_we_added(text: str) -> None:
    alone = SentimentIntensityAnalyzer().polarity_scores(text)["compound"]
    assert score(text) < min(alone, 0) - 0.2


@pytest.mark.parametrize("word", [word.strip() for word in NEUTRAL.split(",")])
def test_no_neutral_word_is_heard(word: str) -> None:
    assert score(f"Acme {word} today") == 0


@pytest.mark.parametrize("valence", VALENCES)
def test_every_word_of_a_line_is_heard_as_it_says(valence: float) -> None:
    for word in VALENCES[valence].split(","):
        assert score(f"Acme {word.strip()} today") * valence > 0, word


def test_a_word_has_one_valence() -> None:
    words = [word.strip() for line in VALENCES.values() for word in line.split(",")]
    assert len(words) == len(set(words))


def test_only_whole_words_count() -> None:
    assert score("Rebankruptcyish defaultsville") == 0


def test_a_word_in_capitals_among_others_weighs_more() -> None:
    assert score("Acme faces FRAUD claims") < score("Acme faces fraud claims")
    assert score("Acme hit by RUG PULL now") < score("Acme hit by rug pull now")


def test_a_denial_turns_the_feeling() -> None:
    assert score("this is not a rug pull") > 0


def test_a_sign_beside_a_phrase_does_not_hide_it() -> None:
    assert score("Acme (chapter 11), files") == score("Acme chapter 11 files")


def test_nothing_after_the_longest_text_is_read() -> None:
    padding = "a " * (LONGEST_TEXT // 2)
    assert score(padding + "bankruptcy fraud") == 0


def test_terminal_sequences_do_not_change_what_is_heard() -> None:
    assert score("rug \x1b[31mpull\x1b[0m\u202e") == score("rug pull")


def test_the_same_text_scores_the_same_and_within_bounds() -> None:
    text = "fraud bankruptcy " * 40
    assert score(text) == score(text) >= -1
