import pytest

from engine.sources.demo.days import HISTORY, Days
from engine.sources.demo.intraday import UNIT
from engine.sources.demo.universe import COMPANIES


@pytest.mark.parametrize("seed", [1, 2, 10**12])
def test_a_newcomer_finds_gaps_to_trade_at_the_first_open(seed: int) -> None:
    made = Days(seed)
    past = [made.next() for _ in range(HISTORY)][-20:]
    today = made.next()
    fallen, easy, ended = [], 0, 0
    for name in (company.instrument for company in COMPANIES):
        one = today[name]
        if one.gap > -0.03:
            continue
        usd = sum(day[name].nodes[-1] / UNIT * day[name].volume for day in past) / 20
        fallen.append(one.gap)
        price = one.nodes[0] / UNIT
        easy += 5 <= price <= 20 and usd >= 5e6 and one.spread_ratio < 0.003
        ended += any(not 0.92 * price < node / UNIT < 1.06 * price for node in one.nodes)
    assert ended >= 3
    assert 6 <= len(fallen) <= 10
    assert easy >= 4
    assert -0.13 < min(fallen) < -0.08
