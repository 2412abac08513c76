"""Joins the config of every component and checks a document against it.

A default lives in the dataclass beside its component. The components of later strategies have none yet:
their sections are read and checked here and take effect with the strategy. What is allowed for a key stands
in the two tables `RANGES` and `WORDS`; a component may check itself instead, by a ValueError that starts with
the key.
"""

import difflib
import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.errors import ConfigError
from engine.execution.policies import ListRule, PolicyName
from engine.model.positions import AccountKind
from engine.model.tickets import canonical_json, to_plain
from engine.money import EPSILON
from engine.reliability.config import ReliabilityConfig
from engine.risk.limits import RiskConfig
from engine.strategies.gaps import GapsConfig
from engine.strategies.gems_config import GemsConfig
from engine.strategies.stage import Stage


class Mode(StrEnum):
    """What orders are worth."""

    PAPER = "paper"
    LIVE = "live"


class MetaAgent(StrEnum):
    """How the agent of a regime is picked (SPEC 4.6)."""

    DTS = "dts"
    EXP3S = "exp3s"


class RiskTolerance(StrEnum):
    """Scales the reward's risk terms (SPEC 4)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """`[engine]`."""

    mode: Mode = Mode.PAPER
    headless_policy: PolicyName = PolicyName.HOLD
    db: str = ""
    """"" is tradedeck.db in the data folder; else a URL `postgresql+psycopg://…`."""
    log_dir: str = ""
    """"" is stdout for the daemon."""
    clock_skew_max_s: float = 1.0
    cancel_entries_at_stop: bool = True


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """`[accounts.NAME]`. `day_roll`: the time zone whose midnight starts the account's day."""

    kind: AccountKind = AccountKind.PAPER
    base_ccy: str = "USD"
    initial_cash: float = 10_000.0
    day_roll: str = "America/New_York"


@dataclass(frozen=True, slots=True)
class RlConfig:
    """`[rl]` (SPEC 4)."""

    stage: Stage = Stage.SHADOW
    min_confidence: float = 0.60
    meta: MetaAgent = MetaAgent.DTS
    meta_gamma: float = 0.97
    risk_tolerance: RiskTolerance = RiskTolerance.MEDIUM
    bar: str = "1h"


@dataclass(frozen=True, slots=True)
class MlConfig:
    """`[ml]` (SPEC 5)."""

    stage: Stage = Stage.SHADOW
    confidence_min: float = 0.80
    completeness_min: float = 0.95
    coin_completeness_min: float = 0.80
    data_age_max_s: int = 300
    ece_max: float = 0.05


@dataclass(frozen=True, slots=True)
class SignalsConfig:
    """`[signals]` (SPEC 6). `tiers`: (gain, share sold) as fractions."""

    stage: Stage = Stage.PAPER
    sse_url: str = ""
    sentiment_min: float = 60.0
    mentions_min: int = 10
    size_pct: float = 0.02
    stop_pct: float = 0.15
    tiers: tuple[tuple[float, float], ...] = ((0.30, 0.33), (0.75, 0.33))
    trail_pct: float = 0.20
    sma: tuple[int, int] = (10, 30)
    breakout_bars: int = 20
    entry_ttl_min: int = 60


@dataclass(frozen=True, slots=True)
class BacktestConfig:
    """`[backtest]`. `spread_bps` is assumed where a dataset has no quotes."""

    spread_bps: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything the engine can be told; one field a section of config.toml."""

    engine: EngineConfig = EngineConfig()
    accounts: Mapping[str, AccountConfig] = field(default_factory=lambda: {"paper": AccountConfig()})
    approvals: Mapping[str, ListRule] = field(default_factory=dict)
    """Strategies that `headless_policy = "list"` approves by itself, with their caps."""
    risk: RiskConfig = field(default_factory=RiskConfig)
    gems: GemsConfig = field(default_factory=GemsConfig)
    gaps: GapsConfig = field(default_factory=GapsConfig)
    rl: RlConfig = RlConfig()
    ml: MlConfig = MlConfig()
    signals: SignalsConfig = SignalsConfig()
    backtest: BacktestConfig = BacktestConfig()
    reliability: ReliabilityConfig = field(default_factory=ReliabilityConfig)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a number may be; the ends belong to it unless they are open."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        """Whether `value` lies inside; never for NaN."""
        above = self.low < value if self.open_low else self.low <= value
        return above and (value < self.high if self.open_high else value <= self.high)

    def __str__(self) -> str:
        low, high = ("<" if is_open else "<=" for is_open in (self.open_low, self.open_high))
        return f"{self.low:g} {low} value {high} {self.high:g}"


_RATIO = Bounds(0, 1)
_SHARE = Bounds(0, 1, open_low=True)
_INNER = Bounds(0, 1, open_low=True, open_high=True)
_PERCENT = Bounds(0, 100)
_USD = Bounds(0, 1e12)
_SECONDS = Bounds(0, 86_400, open_low=True)

STRATEGIES = ("gems", "gaps", "rl", "ml", "signals")
"""Sections of strategies, which are the names of strategies in `[approvals]` too."""

RANGES: Mapping[str, Bounds] = {
    "engine.clock_skew_max_s": Bounds(0, 60, open_low=True),
    "accounts.*.initial_cash": Bounds(0, 1e9, open_low=True),
    "approvals.*.per_day": Bounds(1, 30),
    "approvals.*.notional_usd": Bounds(0, 1e6, open_low=True),
    "risk.max_position_pct": Bounds(0, 0.10, open_low=True),
    "risk.kelly_fraction": _SHARE,
    "risk.corr_threshold": _RATIO,
    "risk.corr_exposure_max": _SHARE,
    "risk.var_conf": Bounds(0.5, 1, open_high=True),
    "risk.var_max_pct": _SHARE,
    "risk.dd_levels": _INNER,
    "risk.dd_release": _INNER,
    "risk.daily_loss_max": _SHARE,
    "risk.max_positions_total": Bounds(1, 1000),
    "gems.flag_score": _PERCENT,
    "gems.unflag_score": _PERCENT,
    "gems.min_signals": Bounds(0, 8),
    "gems.signal_level": _RATIO,
    "gems.min_confidence": _PERCENT,
    "gems.safety_min": _RATIO,
    "gems.liquidity_floor_usd": _USD,
    "gems.tax_max_pct": _PERCENT,
    "gems.lp_lock_block_pct": _PERCENT,
    "gems.queue_ttl_h": Bounds(1, 168),
    "gems.weights": _RATIO,
    "rl.min_confidence": _RATIO,
    "rl.meta_gamma": _INNER,
    "ml.confidence_min": _RATIO,
    "ml.completeness_min": _RATIO,
    "ml.coin_completeness_min": _RATIO,
    "ml.data_age_max_s": Bounds(1, 86_400),
    "ml.ece_max": _RATIO,
    "signals.sentiment_min": _PERCENT,
    "signals.mentions_min": Bounds(0, 1_000_000),
    "signals.size_pct": Bounds(0, 0.10, open_low=True),
    "signals.stop_pct": _INNER,
    "signals.tiers": Bounds(0, 100, open_low=True),
    "signals.trail_pct": _INNER,
    "signals.sma": Bounds(2, 1000),
    "signals.breakout_bars": Bounds(2, 1000),
    "signals.entry_ttl_min": Bounds(1, 1440),
    "backtest.spread_bps": Bounds(0, 1000),
    "reliability.*.failures": Bounds(1, 1000),
    "reliability.*.open_s": _SECONDS,
    "reliability.*.successes": Bounds(1, 100),
    "reliability.cache_books": _SECONDS,
    "reliability.cache_dex": _SECONDS,
    "reliability.cache_twitter": _SECONDS,
    "reliability.cache_market": _SECONDS,
}
"""What each number may be; elements of a list or table obey its line. `[gaps]` checks itself."""

WORDS: Mapping[str, tuple[str, str]] = {
    "engine.db": (r"|postgresql\+psycopg://\S+", "empty or a postgresql+psycopg:// URL"),
    "accounts.*.base_ccy": (r"[A-Z]{3,5}", "a currency code like USD"),
    "rl.bar": (r"1m|5m|15m|1h|4h|1d", "one of 1m, 5m, 15m, 1h, 4h, 1d"),
    "signals.sse_url": (r"|https://\S+", "empty or an https:// URL"),
}
"""What each free text may be, as a whole match and in words."""

C = TypeVar("C", bound=Config)
T = TypeVar("T")


def parse(
    document: Mapping[str, object],
    kind: type[C],
    origins: Mapping[str, str],
    ranges: Mapping[str, Bounds] = RANGES,
) -> C:
    """Check a document and make `kind` of it; keys that are absent, also inside a table, keep their defaults.

    `origins` says per dotted key which file or variable set it. Raises ConfigError naming file, key and
    value: for an unknown key, a wrong type, a value out of range, keys that contradict each other, and live
    mode.
    """
    # Checking a document is the only thing that needs pydantic; it takes 0.1 s to import.
    from pydantic import TypeAdapter, ValidationError

    _refuse_unknown(document, kind, "", origins)
    whole = merged(to_plain(kind()), document)
    try:
        config = TypeAdapter(kind).validate_json(json.dumps(whole, default=str), strict=True)
    except ValidationError as error:
        raise _from_pydantic(error.errors()[0], kind, whole, origins) from error
    for path, value in leaves(config):
        bounds, words = _line_of(ranges, path), _line_of(WORDS, path)
        if bounds is not None and not all(bounds.holds(number) for number in numbers(value)):
            raise _refused(path, value, f"is outside {bounds}", kind, origins)
        if words is not None and not re.fullmatch(words[0], str(value)):
            raise _refused(path, value, f"is not {words[1]}", kind, origins)
    for path, what, hint in _contradictions(config):
        raise ConfigError(f"{_origin(path, origins)}: {what}", hint)
    return config


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: tables are joined key by key, everything else is replaced."""
    joined = dict(base)
    for key, value in over.items():
        below = joined.get(key)
        joined[key] = (
            merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
        )
    return joined


def config_hash(config: Config) -> str:
    """Hexadecimal SHA-256 of the whole effective config, for the audit log and `config show`."""
    return hashlib.sha256(canonical_json(config)).hexdigest()


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every key of a config, or of a document, with its value, as `section.key`, in order."""
    if is_dataclass(value):
        items: Iterable[tuple[str, object]] = [
            (item.name, getattr(value, item.name)) for item in fields(value)
        ]
    elif isinstance(value, Mapping):
        items = value.items()
    else:
        yield path, value
        return
    for name, item in items:
        yield from leaves(item, f"{path}.{name}" if path else str(name))


def annotation_of(path: str, kind: Any) -> Any:
    """The declared type of a dotted key; None when there is no such key."""
    for name in path.split("."):
        if is_dataclass(kind):
            kind = get_type_hints(kind).get(name)
        elif get_origin(kind) is Mapping:
            kind = get_args(kind)[1]
        else:
            return None
    return kind


def toml_text(value: object) -> str:
    """A value as it is written in TOML, a password in a URL hidden; None, which TOML lacks, is `unset`."""
    if value is None:
        return "unset"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(toml_text, value))}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml_text(item)}" for key, item in value.items()) + " }"
    return re.sub(r"(://[^:@/]*):[^@/]+@", r"\1:***@", json.dumps(value, ensure_ascii=False, default=str))


def numbers(value: object) -> Iterator[float]:
    """Every number in a value or in a nest of tuples."""
    if isinstance(value, tuple):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        yield float(value)


def _line_of(table: Mapping[str, T], path: str) -> T | None:
    """The line of a table that rules a key: its own, that of `*` for the middle name, or its parent's."""
    section, _, rest = path.partition(".")
    wild = f"{section}.*.{rest.partition('.')[2]}"
    return table.get(path) or table.get(wild) or table.get(path.rpartition(".")[0])


def _origin(path: str, origins: Mapping[str, str]) -> str:
    """Who set a key, or a key inside that table, or the table it stands in."""
    for key, origin in origins.items():
        if key == path or key.startswith(f"{path}.") or path.startswith(f"{key}."):
            return origin
    return "the defaults"


def _refuse_unknown(document: object, kind: Any, path: str, origins: Mapping[str, str]) -> None:
    if not isinstance(document, Mapping):
        return
    for name, item in document.items():
        here = f"{path}.{name}" if path else str(name)
        declared = annotation_of(str(name), kind)
        if declared is None and is_dataclass(kind):
            raise _unknown(here, kind, path, item, origins)
        _refuse_unknown(item, declared, here, origins)


def _unknown(path: str, kind: Any, parent: str, item: object, origins: Mapping[str, str]) -> ConfigError:
    """Names the nearest key beside it, else the nearest one with the same last name anywhere."""
    name = path.rpartition(".")[2]
    beside = {field.name: f"{parent}.{field.name}" if parent else field.name for field in fields(kind)}
    near = [beside[found] for found in difflib.get_close_matches(name, beside, 1)]
    near = near or [known for known, _ in leaves(Config()) if known.endswith(f".{name}")]
    first = path if not isinstance(item, Mapping) else next((key for key, _ in leaves(item, path)), path)
    hint = f"The nearest is {' or '.join(near)}" if near else f"Keys here: {', '.join(beside)}"
    return ConfigError(f"{_origin(first, origins)}: unknown key {path}", hint)


def _from_pydantic(
    error: Mapping[str, Any], kind: Any, document: Any, origins: Mapping[str, str]
) -> ConfigError:
    """One error of pydantic in our words: a type that does not fit, or what a component's own check said."""
    location = error["loc"]
    names = list(itertools.takewhile(lambda part: isinstance(part, str), location))
    path = ".".join(names)
    if error["type"] == "value_error":
        own = str(error["ctx"]["error"])
        return ConfigError(f"{_origin(own.split(maxsplit=1)[0], origins)}: {own}", f"Change [{path}]")
    if error["type"] == "missing" and len(names) == len(location):
        parent = path.rpartition(".")[0]
        return ConfigError(f"{_origin(parent, origins)}: {path} is missing", f"Add it to [{parent}]")
    for name in names:
        document = document.get(name) if isinstance(document, Mapping) else None
    return _refused(
        path, document, f"is not {_expected(annotation_of(path, kind)) or error['msg']}", kind, origins
    )


def _refused(path: str, value: object, why: str, kind: Any, origins: Mapping[str, str]) -> ConfigError:
    default = dict(leaves(kind())).get(path)
    hint = f"The default of {path} is {toml_text(default)}" if default is not None else f"Change {path}"
    return ConfigError(f"{_origin(path, origins)}: {path} = {toml_text(value)} {why}", hint)


def _expected(annotation: Any) -> str:
    """A type in words; "" for one that has none."""
    if isinstance(annotation, UnionType):
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return "one of " + ", ".join(f'"{member.value}"' for member in annotation)
    if get_origin(annotation) is tuple:
        inner = get_args(annotation)
        count = "" if Ellipsis in inner else f"{len(inner)} "
        return f"a list of {count}values, each {_expected(inner[0])}"
    if is_dataclass(annotation) or get_origin(annotation) is Mapping:
        return "a table"
    names = {bool: "true or false", int: "a whole number", float: "a number", Decimal: "a number"}
    return names.get(annotation, "a text in quotes" if annotation is str else "")


def _contradictions(config: Config) -> Iterator[tuple[str, str, str]]:
    """Key, what is wrong and what to do, for rules that need more than one key or a zone table."""
    risk, gems, signals = config.risk, config.gems, config.signals
    weights = math.fsum(numbers(tuple(value for _, value in leaves(gems.weights))))
    rules = [
        ("risk.dd_levels", list(risk.dd_levels) == sorted(set(risk.dd_levels)), "must rise"),
        ("risk.dd_release", risk.dd_release[0] < risk.dd_levels[0], "must lie below its level"),
        (
            "risk.dd_release",
            risk.dd_levels[0] < risk.dd_release[1] < risk.dd_levels[1],
            "must lie between levels",
        ),
        ("gems.unflag_score", gems.unflag_score <= gems.flag_score, "must not exceed gems.flag_score"),
        ("gems.weights", abs(weights - 1) <= EPSILON, f"must sum to 1, they sum to {weights:g}"),
        ("signals.sma", signals.sma[0] < signals.sma[1], "must rise"),
    ]
    for name in ("cache_books", "cache_dex", "cache_twitter", "cache_market"):
        usual, least, most = getattr(config.reliability, name)
        rules.append((f"reliability.{name}", least <= usual <= most, "must be default, least, greatest"))
    for path, holds, what in rules:
        if not holds:
            yield path, f"{path} {what}", f"Change {path}"
    for name in config.approvals:
        if name not in STRATEGIES:
            path = f"approvals.{name}"
            yield path, f"{path} names no strategy", f"Strategies: {', '.join(STRATEGIES)}"
    if config.engine.mode is Mode.LIVE:
        yield "engine.mode", 'engine.mode = "live" is refused: this release has no live broker', 'Set "paper"'
    for name, account in config.accounts.items():
        if account.kind is AccountKind.LIVE:
            yield (
                f"accounts.{name}.kind",
                f'account {name} of kind "live" is refused: this release has no live broker',
                'Set "paper"',
            )
        if not _is_zone(account.day_roll):
            path = f"accounts.{name}.day_roll"
            yield (
                path,
                f"{path} = {toml_text(account.day_roll)} is no time zone",
                "Write it like America/New_York",
            )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
