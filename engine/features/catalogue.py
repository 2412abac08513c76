"""All features of stocks and their market, by id. Importing the category modules is what declares them."""

from collections.abc import Mapping

from engine.features import challenger, liquidity, market, quality, technical
from engine.features.registry import FeatureSpec, registered

MODULES = (market, liquidity, technical, quality, challenger)
CATALOGUE: Mapping[str, FeatureSpec] = registered()
