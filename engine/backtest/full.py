"""The full rule of `gaps` over a panel of stored bars: every gate of SPEC 3.2-3.7 that bars can answer.

The predicates are those that the strategy itself asks, one candidate at a time. What depends on the account's
equity, as slippage, expected value and quality score do through the size of the order, is decided at each
session's open. A gate whose input a file of daily bars cannot have is not applicable (SPEC 9.8).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt

import numpy as np

from engine.agents.forecaster import MAX_OUTSIDE
from engine.backtest.brackets import Tape, Wish
from engine.backtest.outlook import Outlook
from engine.features.panel import DecisionPanel
from engine.model.candidates import Regime
from engine.model.ids import InstrumentId
from engine.money import EPSILON
from engine.ports import BarColumns
from engine.risk.kelly import binary_kelly, kelly_share
from engine.risk.limits import RiskConfig
from engine.risk.slippage import SESSIONS_PER_YEAR, slippage_pct
from engine.scoring.bcs import REGIME_POINTS, bcs_arrays, bcs_total
from engine.strategies import filters
from engine.strategies import gaps_rules as rules
from engine.strategies.expected import expected_value, round_trip_cost
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.gaps_limits import thresholds
from engine.strategies.gaps_orders import size_share
from engine.strategies.regime import classify

REGIMES = tuple(Regime)
"""A regime's number is its place in here."""
NOT_IN_BARS = (
    "listing",
    "market cap",
    "earnings",
    "halts",
    "news",
    "sector",
    "spread",
    "issuer runway",
    "volume climax (BCS part)",
)
"""What a file of daily bars cannot tell (SPEC 9.8)."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a panel says of each of its rows (N,), whatever the thresholds are."""

    panel: DecisionPanel
    outlook: Outlook
    tape: Tape
    """The bars that the panel was read from."""
    place: np.ndarray
    """Of its bar, in the tape."""
    regime: np.ndarray
    """Place in REGIMES."""
    is_split_today: np.ndarray
    was_split: np.ndarray
    """A reverse split in the 30 sessions before."""

    def value(self, name: str) -> np.ndarray:
        """A feature."""
        return np.asarray(self.panel.values[name])


def read_rows(
    panel: DecisionPanel, outlook: Outlook, bars: Mapping[InstrumentId, BarColumns], tape: Tape
) -> Rows:
    """Join a panel, its forecasts and the tape of the same bars."""
    number = {name: at for at, name in enumerate(tape.instruments)}
    numbers = np.array([number.get(name, -1) for name in panel.instruments], dtype=np.int64)
    ratio, was_split = np.ones(len(panel)), np.zeros(len(panel), dtype=np.bool_)
    for at, name in enumerate(panel.instruments):
        mine = np.flatnonzero(panel.instrument == at)
        if len(mine):
            events = bars[name].event_ratio
            ratio[mine] = events[panel.row[mine]]
            was_split[mine] = rules.has_reverse_split(events)[np.maximum(panel.row[mine] - 1, 0)]
    vix, rank, spy = (panel.values[name] for name in ("vix_close", "vix_pct_252", "spy_dist_200"))
    ranked = np.where(np.isnan(vix), np.nan, rank)
    regime = [
        REGIMES.index(classify(*(None if one != one else one for one in pair)))
        for pair in zip(ranked.tolist(), spy.tolist(), strict=True)
    ]
    return Rows(
        panel,
        outlook,
        tape,
        tape.table.places(numbers[panel.instrument], panel.row),
        np.array(regime, dtype=np.int64),
        rules.is_split_ratio(ratio),
        was_split,
    )


@dataclass(frozen=True, slots=True)
class Scores:
    """What the size of the order moves, for some rows (K,): slippage percent one way, EV a fraction, BCS."""

    slippage: np.ndarray
    ev: np.ndarray
    bcs: np.ndarray


class FullRule:
    """The gates over all rows, with the thresholds of one configuration."""

    def __init__(self, rows: Rows, config: GapsConfig, risk: RiskConfig, spread_bps: float) -> None:
        self.rows = rows
        self.config = config
        self._spread_bps = spread_bps
        limits = [thresholds(regime, config) for regime in REGIMES]
        self._q_min = np.array([one.q_min for one in limits])[rows.regime]
        self._bcs_min = np.array([one.bcs_min for one in limits])[rows.regime]
        self.share = np.array([size_share(regime, config) for regime in REGIMES])[rows.regime]
        """Fraction of equity that a position may be worth (N,)."""
        self._points = np.array([REGIME_POINTS[regime] for regime in REGIMES])[rows.regime]
        kelly = partial(_kelly, config=config, fraction=risk.kelly_fraction)
        self.most = np.minimum([kelly(q) for q in rows.outlook.q_bounce.tolist()], risk.max_position_pct)
        """Fraction of equity that the forecast and the account's cap allow (N,)."""
        self.fixed: dict[str, np.ndarray] = dict(self._fixed())
        """Gates that no equity moves, in the order of the funnel: name -> rows that pass (N,)."""

    def _fixed(self) -> list[tuple[str, np.ndarray]]:
        rows, config, outlook = self.rows, self.config, self.rows.outlook
        panel, value = rows.panel, rows.value
        allowed = {Regime.NORMAL, Regime.HIGH_VIX}
        if config.allow_in_spy_stress:
            allowed.add(Regime.SPY_STRESS)
        gates = [
            ("gap", rules.is_gap(value("gap_dn"), config)),
            ("bars", panel.completed_bars >= rules.BARS_MIN),
            ("price", rules.is_priced(panel.prev_close, config)),
            ("ADV", rules.is_traded(value("adv_usd_20"), config)),
            ("split", ~rows.is_split_today & ~rows.was_split),
            ("knife", rules.is_no_knife(value("knife_share_63"))),
            ("rsi2", rules.is_oversold(value("rsi2"), config)),
            ("dist 200", rules.is_in_trend(value("dist_200"), config)),
            ("regime", np.isin(rows.regime, [REGIMES.index(one) for one in allowed])),
            ("volume", filters.is_steady(value("liquidity_delta_pct"), config)),
            ("volume fade", filters.is_alive(value("volume_fade"))),
            ("forecast", outlook.is_there),
            ("in range", outlook.is_there & (outlook.outside <= MAX_OUTSIDE)),
            ("q_bounce", outlook.q_bounce >= self._q_min - EPSILON),
        ]
        if config.z5_max is not None:
            gates.insert(8, ("z5", rules.is_shocked(value("z5"), config)))
        return gates

    def passed(self) -> np.ndarray:
        """Rows (N,) that pass all gates that no equity moves."""
        return np.asarray(np.logical_and.reduce(list(self.fixed.values())))

    def scores(self, at: np.ndarray, equity: float) -> Scores:
        """Of the rows `at` (K,), for an account of this equity."""
        rows, outlook = self.rows, self.rows.outlook

        def value(name: str) -> np.ndarray:
            return np.asarray(rows.value(name)[at])

        sigma = value("realized_vol_20") / sqrt(SESSIONS_PER_YEAR)
        slip = slippage_pct(self._spread_bps, equity * self.share[at], value("adv_usd_20"), sigma)
        ev = expected_value(
            outlook.p_touch[at],
            outlook.q_bounce[at],
            outlook.r_target[at],
            outlook.r_stop[at],
            outlook.r_time[at],
            round_trip_cost(slip),
        )
        parts = bcs_arrays(
            q_bounce=outlook.q_bounce[at],
            gap_dn=value("gap_dn"),
            rsi2=value("rsi2"),
            z5=value("z5"),
            volume_ratio=np.full(len(at), np.nan),
            dist_200=value("dist_200"),
            regime_points=self._points[at],
            adv_usd=value("adv_usd_20"),
            slippage_pct=slip,
        )
        return Scores(slip, ev, bcs_total(parts))

    def judge(self, at: np.ndarray, equity: float) -> tuple[dict[str, np.ndarray], Scores]:
        """Gates that the size of the order moves: name -> those of the rows `at` (K,) that pass."""
        found = self.scores(at, equity)
        gates = {
            "slippage": filters.is_cheap(found.slippage, self.config),
            "EV": found.ev > EPSILON,
            "BCS": found.bcs > self._bcs_min[at] + EPSILON,
        }
        return gates, found


def _kelly(q: float, config: GapsConfig, fraction: float) -> float:
    return kelly_share(binary_kelly(q, config.target_pct, config.stop_pct), fraction)


class Decisions:
    """`engine.backtest.brackets.Decide` of a full rule; remembers which rows passed which gate."""

    def __init__(self, rule: FullRule, tape: Tape) -> None:
        self.rule = rule
        self.moved: dict[str, np.ndarray] = {}
        """Gates that equity moves: name -> rows (N,) that passed, of those that got so far."""
        self._of: dict[int, np.ndarray] = {}
        at = np.flatnonzero(rule.passed())
        sessions = np.array([tape.session[place] for place in rule.rows.place[at].tolist()], dtype=np.int64)
        for session in np.unique(sessions).tolist():
            self._of[session] = at[sessions == session]
        self._sigma = rule.rows.value("realized_vol_20") / sqrt(SESSIONS_PER_YEAR)
        self._adv = rule.rows.value("adv_usd_20")

    def __call__(self, now: int, places: Sequence[int], equity: float) -> Sequence[Wish]:
        """Those that pass, the highest expected value first, then by symbol."""
        at = self._of.get(now)
        if at is None:
            return ()
        gates, found = self.rule.judge(at, equity)
        passes = np.ones(len(at), dtype=np.bool_)
        for name, gate in gates.items():
            passes &= gate
            self.moved.setdefault(name, np.zeros(len(self._sigma), dtype=np.bool_))[at] = passes
        rows = self.rule.rows
        at, ev = at[passes], found.ev[passes]
        at = at[np.lexsort((rows.place[at], -ev))]
        return [
            Wish(
                int(rows.place[row]),
                float(self._sigma[row]),
                float(self._adv[row]),
                float(self.rule.most[row]),
            )
            for row in at.tolist()
        ]


def shares_of(rule: FullRule, tape: Tape) -> list[float]:
    """What a position may be worth in each session of the tape, a fraction of equity; 0 without a row."""
    shares = [0.0] * len(tape.sessions)
    for place, share in zip(rule.rows.place.tolist(), rule.share.tolist(), strict=True):
        shares[tape.session[place]] = share
    return shares
