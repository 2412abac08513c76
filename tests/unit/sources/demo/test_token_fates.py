"""The tokens of the demo as the real GemScore sees them: flagged, blocked, and rugged."""

from collections.abc import Callable

import pytest

from engine.model.events import GemBlocked
from engine.sources.demo.tokens import TokenStream
from engine.sources.demo.walk import DemoWalk
from engine.strategies.gems import GemScan
from engine.strategies.gems_config import GemsConfig

START = 1_773_149_340_000_000
MINUTE = 60_000_000
SEEDS = (1, 7)


@pytest.fixture
def make_scan() -> Callable[[], GemScan]:
    return lambda: GemScan(GemsConfig())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_scan_flags_a_few_and_blocks_others_as_good(make_scan, seed: int) -> None:
    scan = make_scan()
    first = next(TokenStream(seed, START, DemoWalk()).batches(0))
    scan.take(first.tokens, first.posts, first.ts)
    gems = scan.ranked()
    assert len(gems) == 150
    assert 2 <= sum(gem.is_flagged for gem in gems) <= 7
    known = {gem.safety.decisive.gate.value for gem in gems if gem.safety.decisive is not None}
    assert len(known) >= 8
    assert sum(gem.safety.is_blocked and gem.score.score >= 65 for gem in gems) >= 2


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flagged_token_is_rugged_within_the_first_hour_and_blocked_for_it(make_scan, seed: int) -> None:
    scan = make_scan()
    pulled: list[GemBlocked] = []
    for batch in TokenStream(seed, START, DemoWalk()).batches(0):
        if batch.ts > START + 60 * MINUTE:
            break
        events = scan.take(batch.tokens, batch.posts, batch.ts)
        blocked = [event for event in events if isinstance(event, GemBlocked) and event.was_flagged]
        pulled += [event for event in blocked if event.gate == "rug_lp"]
        if pulled:
            break
    assert pulled
    assert "liquidity -9" in pulled[0].reason
    assert pulled[0].ts - START <= 30 * MINUTE
