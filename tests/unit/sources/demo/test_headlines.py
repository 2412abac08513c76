import pytest

from engine.model.market import Headline, Provenance
from engine.model.text import clean
from engine.sources.demo.days import HISTORY
from engine.sources.demo.diary import Diary
from engine.sources.demo.headlines import headlines_of
from engine.sources.demo.overnight import News


@pytest.fixture
def diary(calendar, first) -> Diary:
    return Diary(4, calendar, first)


def read(diary: Diary, number: int) -> list[Headline]:
    session = diary.session(number)
    assert session is not None
    return headlines_of(4, number, session, diary.day(number))


def test_news_of_a_gap_are_known_before_the_open(diary: Diary) -> None:
    for number in range(HISTORY, HISTORY + 10):
        session = diary.session(number)
        assert session is not None
        told = [one for one in read(diary, number) if one.ts_known < session.open_us]
        about = {one.instruments[0] for one in told}
        hit = {name for name, day in diary.day(number).items() if day.news is not News.NONE}
        assert hit <= about
        assert len(told) == len(hit) + 3


def test_headlines_come_in_order_and_are_known_after_they_happened(diary: Diary) -> None:
    told = read(diary, HISTORY)
    assert [one.ts_known for one in told] == sorted(one.ts_known for one in told)
    for one in told:
        assert one.ts_event < one.ts_known
        assert one.provenance is Provenance.SYNTHETIC
        assert "{" not in one.title


def test_one_headline_a_day_tries_to_take_over_the_terminal(diary: Diary) -> None:
    for number in range(HISTORY, HISTORY + 5):
        hostile = [one for one in read(diary, number) if one.source == "unmoderated feed"]
        assert len(hostile) == 1
        title = hostile[0].title
        assert not title.isprintable()
        assert clean(title).isprintable()


def test_all_others_are_plain_text(diary: Diary) -> None:
    for number in range(HISTORY, HISTORY + 10):
        for one in read(diary, number):
            assert one.source == "unmoderated feed" or (one.title.isascii() and clean(one.title) == one.title)


def test_the_first_hostile_one_comes_within_minutes(diary: Diary) -> None:
    session = diary.session(HISTORY)
    assert session is not None
    hostile = next(one for one in read(diary, HISTORY) if one.source == "unmoderated feed")
    assert 0 < hostile.ts_known - session.open_us < 6 * 60_000_000


def test_headlines_of_another_seed_are_others(diary: Diary) -> None:
    session = diary.session(HISTORY)
    assert session is not None
    assert headlines_of(5, HISTORY, session, diary.day(HISTORY)) != read(diary, HISTORY)
