"""Every feature that is declared: of stocks and their market, of headlines, and of tokens."""

from collections.abc import Mapping
from inspect import cleandoc
from types import MappingProxyType

from engine.features.catalogue import CATALOGUE
from engine.features.news import NEWS
from engine.features.registry import AssetClass, FeatureRecord, FeatureSpec
from engine.features.token_catalogue import TOKEN_CATALOGUE

DECLARED: Mapping[str, FeatureRecord] = MappingProxyType({**TOKEN_CATALOGUE, **NEWS, **CATALOGUE})
"""By id; what exists for stocks and tokens alike stands here as it does for stocks."""


def records() -> tuple[FeatureRecord, ...]:
    """All of them, by category and id; those of stocks and tokens alike twice, the stocks' first."""
    found = (*CATALOGUE.values(), *NEWS.values(), *TOKEN_CATALOGUE.values())
    order = {name: place for place, name in enumerate(type(found[0].category))}
    return tuple(sorted(found, key=lambda record: (order[record.category], record.id)))


def definition_of(record: FeatureRecord) -> str:
    """What the code says that it is, as one line of words."""
    function = record.kernel if isinstance(record, FeatureSpec) else getattr(record, "compute", None)
    return " ".join(cleandoc(function.__doc__ or "").split()) if function is not None else ""


def applies_to(record: FeatureRecord) -> str:
    """`stocks`, `tokens` or `both`: what the record is of, where there is one for each."""
    has_twin = record.id in CATALOGUE and record.id in TOKEN_CATALOGUE
    if has_twin or record.asset_class is not AssetClass.BOTH:
        is_stock = isinstance(record, FeatureSpec) if has_twin else record.asset_class is AssetClass.EQUITY
        return "stocks" if is_stock else "tokens"
    return "both"


def range_of(record: FeatureRecord) -> str:
    """Its range as SPEC 1.4 writes it: real, >=0, >0, [0,1]."""
    low, high = record.minimum, record.maximum
    if low is None:
        return "real" if high is None else f"<={high:g}"
    if high is None:
        return f">{low:g}" if record.minimum_excluded else f">={low:g}"
    return f"{'(' if record.minimum_excluded else '['}{low:g},{high:g}]"


def sources_of(record: FeatureRecord) -> tuple[str, ...]:
    """What it is read from: the columns of a feature of bars, else the clocks of its facts."""
    return record.inputs if isinstance(record, FeatureSpec) else record.sources
