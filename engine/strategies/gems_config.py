"""`[gems]` of config.toml: what a person may change of the token scan (SPEC 2, 14)."""

from dataclasses import dataclass, field

from engine.scoring.flags import FlagLimits
from engine.scoring.gemscore import GemWeights
from engine.strategies.stage import Stage


@dataclass(frozen=True, slots=True)
class GemsConfig(FlagLimits):
    """`[gems]`; what the rules measure against stands beside them in `engine.scoring`."""

    stage: Stage = Stage.PAPER
    watchlist: tuple[str, ...] = ()
    weights: GemWeights = field(default_factory=GemWeights)
