"""The gap-down bounce (SPEC 3), first form."""

from engine.strategies.gaps_config import GapsConfig as GapsConfig
