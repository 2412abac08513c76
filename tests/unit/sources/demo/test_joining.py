from collections.abc import Iterator

from engine.model.ids import instrument_id
from engine.model.market import Headline, MarketBatch, Provenance, SessionPhase
from engine.sources.demo.joining import joined

NAME = instrument_id("ABCD")


def told(ts: int, word: str = "") -> MarketBatch:
    said = (Headline((NAME,), word, "wire", ts, ts, Provenance.SYNTHETIC),) if word else ()
    return MarketBatch(ts, headlines=said)


def endless(start: int, step: int) -> Iterator[MarketBatch]:
    ts = start
    while True:
        yield told(ts, f"e{ts}")
        ts += step


def test_streams_are_told_in_order_and_end_with_the_main_one() -> None:
    main = iter([told(3), told(10), told(20)])
    assert [batch.ts for batch in joined(main, [endless(1, 4), iter([told(2)])])] == [
        1, 2, 3, 5, 9, 10, 13, 17, 20,
    ]  # fmt: skip


def test_what_is_told_at_one_instant_is_one_batch_in_the_order_of_the_streams() -> None:
    opening = MarketBatch(5, session=None, phase=SessionPhase.OPEN, headlines=told(5, "main").headlines)
    found = list(joined(iter([opening]), [iter([told(5, "second")]), iter([told(5, "third")])]))
    assert len(found) == 1
    assert found[0].phase is SessionPhase.OPEN
    assert [one.title for one in found[0].headlines] == ["main", "second", "third"]


def test_nothing_is_told_without_a_main_stream() -> None:
    assert list(joined(iter(()), [endless(1, 1)])) == []
