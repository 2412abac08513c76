from dataclasses import replace

from engine.model.ids import instrument_id
from engine.model.market import Bar, Headline, MarketBatch, Provenance, Quote, Trade
from engine.sources.demo.digest import digest_of

NAME, SYN = instrument_id("ABCD"), Provenance.SYNTHETIC
BATCH = MarketBatch(
    10,
    quotes=(Quote(NAME, 1.01, 1.02, 10, 10, SYN), Quote(NAME, None, 1.02, 10, 10, SYN)),
    trades=(Trade(NAME, 1.01, 10, 10, SYN),),
    bars=(Bar(NAME, 1.0, 1.1, 0.9, 1.05, 500.0, 1, 10, SYN),),
    headlines=(Headline((NAME,), "word", "wire", 9, 10, SYN),),
)


def test_every_fact_changes_the_digest() -> None:
    changed = [
        BATCH,
        replace(BATCH, ts=11),
        replace(BATCH, quotes=(replace(BATCH.quotes[0], ask=1.03), BATCH.quotes[1])),
        replace(BATCH, trades=(replace(BATCH.trades[0], is_open=True),)),
        replace(BATCH, bars=(replace(BATCH.bars[0], volume=501.0),)),
        replace(BATCH, headlines=(replace(BATCH.headlines[0], title="words"),)),
    ]
    assert len({digest_of([one], (), 99) for one in changed}) == len(changed)


def test_it_ends_with_the_instant_asked_for() -> None:
    late = replace(BATCH, ts=20)
    found = digest_of([BATCH], ([(10, (1,))],), 10)
    assert digest_of([BATCH, late], ([(10, (1,)), (20, (2,))],), 10) == found
    assert digest_of([BATCH], ([(10, (2,))],), 10) != found


def test_what_lies_below_a_unit_does_not_matter() -> None:
    near = replace(BATCH, trades=(replace(BATCH.trades[0], price=1.01 + 1e-12),))
    assert digest_of([near], (), 99) == digest_of([BATCH], (), 99)
