"""Which titles are severe (SPEC 3.4.2), and which only look like it."""

import re

import pytest

from engine.features import severe
from engine.features.severe import severe_term

SEVERE = {
    "SEC opens an investigation into Acme": "SEC probe",
    "Acme under investigation by the SEC": "SEC probe",
    "Acme gets subpoena": "SEC probe",
    "Founder charged with FRAUD": "fraud",
    "Acme announces restatement of results": "restated",
    "Acme to restate 2024 accounts": "restated",
    "Acme files for bankruptcy": "bankruptcy",
    "Acme seeks Chapter 11": "bankruptcy",
    "Nasdaq to delist Acme": "delisting",
    "Delisting notice for Acme": "delisting",
    "Substantial doubt: going concern": "insolvency",
    "Trading halt in Acme": "halt",
    "Trading in Acme suspended": "halt",
    "Exchange suspends trading": "halt",
    "Acme prices $20M public offering": "offering",
    "Acme starts ATM program": "ATM sale",
    "Acme in at-the-market sale": "ATM sale",
    "Holders face dilution": "dilution",
    "Acme sells convertible senior notes": "conv. note",
    "Acme cuts full-year guidance": "guidance",
    "Guidance withdrawn at Acme": "guidance",
    "Acme lowers its outlook": "guidance",
    "Mid-stage trial missed its main goal": "trial",
    "FDA puts clinical hold on drug": "trial",
    "Shares fall after failed phase 3 trial": "trial",
    "Pivotal trial of Acme fails": "trial",
    "Acme defaults on loan": "default",
    "Auditor of Acme resigns": "auditor",
    "Acme 8-K: Item 4.02, non-reliance": "8-K 4.02",
    "Form 8-K, items 9.01 and 1.03": "8-K 1.03",
}
HARMLESS = (
    "",
    "SEC files notice of annual meeting",
    "Acme files 8-K, item 2.02",
    "Version 4.02 of the software is out",
    "Amended and restated bylaws",
    "Settings apply by default",
    "Sector probes new lows",
    "Halted by snow, trains resume",
    "Chapter 12 of the story",
    "Acme raises guidance",
    "Trial meets its endpoint",
    "Batman at the museum",
)


@pytest.mark.parametrize(("title", "term"), SEVERE.items())
def test_a_severe_title_is_named_by_its_term(title: str, term: str) -> None:
    assert severe_term(title) == term
    assert severe_term(title.upper()) == term
    assert len(f"news: {term}") <= 16


@pytest.mark.parametrize("title", HARMLESS)
def test_a_harmless_title_is_not_severe(title: str) -> None:
    assert severe_term(title) is None


PATTERNS = tuple(found for found in vars(severe).values() if isinstance(found, re.Pattern))
ENDLESS = re.compile(r"(?<!\\)[+*]|\{\d*,\}")


def steps_of(pattern: str) -> list[str]:
    """Its parts that may go on without end, each with what is repeated."""
    return [pattern[max(0, found.start() - 2) : found.end()] for found in ENDLESS.finditer(pattern)]


@pytest.mark.parametrize("pattern", [found.pattern for found in PATTERNS], ids=len)
def test_no_title_makes_the_search_slow(pattern: str) -> None:
    """A search begins anew at each letter; what it then tries is bounded by the form of the patterns.

    Only words and what stands between words go on without end, never a group; the two exclude each other and
    never follow their like, so that a run of letters is split in one way; groups repeat three times at most.
    """
    assert set(steps_of(pattern)) <= {r"\w+", r"\W+", r"\w*"}
    assert not re.search(r"\)[+*]", pattern)
    assert not re.search(r"\\w[+*]\??\\w|\\W\+\??\\W", pattern)
    repeats = [int(most) for most in re.findall(r"\{\d+,(\d+)\}", pattern)]
    assert all(most <= 3 for most in repeats)
    assert not re.search(r"\{\d+,\d+\}\??\)*[{+*]", pattern), "a repeat of a repeat"


def test_the_form_of_a_slow_pattern_is_seen() -> None:
    assert steps_of(r"(?:\w+\W+)+x") == [r"\w+", r"\W+", "+)+"]
    assert steps_of(r"a.*b{2,}") == ["a.*", "*b{2,}"]


@pytest.mark.parametrize("part", ["sec ", "investigating - ", "guidance a ", "8-k 9.0", "halt ", "a" * 99])
def test_a_long_title_of_one_part_is_not_severe(part: str) -> None:
    assert severe_term((part * 200)[:200]) is None
