"""Which rows of a panel of gaps a model learns from, and which are what the strategy trades (SPEC 3.3.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.features.panel import DecisionPanel
from engine.learn.events import Events, gather, session_axis
from engine.learn.labels import Barriers, Labels, label_rows
from engine.model.ids import InstrumentId
from engine.ports import BarColumns
from engine.strategies import gaps_rules as rules
from engine.strategies.gaps_config import GapsConfig


@dataclass(frozen=True, slots=True)
class Population:
    """Labeled gaps. `labels`, `trains`, `traded`: one value for each row of `panel`; `axis`: all sessions."""

    panel: DecisionPanel
    labels: Labels
    axis: np.ndarray
    trains: np.ndarray
    traded: np.ndarray

    def events(self, inputs: Sequence[str]) -> Events:
        """Those rows that have all inputs, with their places in time."""
        return gather(self.panel, self.labels, self.axis, inputs, self.trains, self.traded)


def populate(bars: Mapping[InstrumentId, BarColumns], panel: DecisionPanel, config: GapsConfig) -> Population:
    """Label a panel of these bars and say what each row is for.

    Learned from: gaps of the panel within the limits of price, traded value and bars. Traded: those of them
    that are candidates with the trigger, no falling knife and no recent reverse split.
    """
    values = panel.values
    trains = (
        rules.is_priced(panel.prev_close, config)
        & rules.is_traded(values["adv_usd_20"], config)
        & (panel.completed_bars >= rules.BARS_MIN)
    )
    traded = (
        trains
        & rules.is_no_knife(values["knife_share_63"])
        & rules.is_gap(values["gap_dn"], config)
        & rules.is_trigger(values["rsi2"], values["dist_200"], values["z5"], config)
        & ~_was_split(bars, panel)
    )
    return Population(panel, label_rows(bars, panel, barriers(config)), session_axis(bars), trains, traded)


def barriers(config: GapsConfig) -> Barriers:
    """Where the strategy leaves its trades."""
    return Barriers(config.target_pct, config.stop_pct, config.max_sessions)


def _was_split(bars: Mapping[InstrumentId, BarColumns], panel: DecisionPanel) -> np.ndarray:
    """Rows (N,) of instruments with a reverse split in their last 30 sessions."""
    found = np.zeros(len(panel), dtype=bool)
    for number, name in enumerate(panel.instruments):
        rows = np.flatnonzero(panel.instrument == number)
        if len(rows):
            found[rows] = rules.has_reverse_split(bars[name].event_ratio)[panel.row[rows]]
    return found
