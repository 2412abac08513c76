"""All features that exist, by id. Importing the category modules is what declares them."""

from collections.abc import Mapping

from engine.features import market, technical
from engine.features.registry import FeatureSpec, registered

MODULES = (market, technical)
CATALOGUE: Mapping[str, FeatureSpec] = registered()
