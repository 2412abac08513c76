"""What sources say about the contracts of the demo's tokens (SPEC 2.4), true or not, known or not."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from engine.model.tokens import ContractFacts

NULL_OWNER = "0x0000000000000000000000000000000000000000"
DEAD_OWNER = "0x000000000000000000000000000000000000dead"
SOURCE = "demo"
Facts = dict[str, Any]
"""Fields of ContractFacts by name, without source and times."""


class Fault(StrEnum):
    """One thing that may be wrong with a contract, or with what is known of it."""

    HONEYPOT = "honeypot"
    CANNOT_SELL = "cannot sell"
    MINTABLE = "mintable"
    HIDDEN_OWNER = "hidden owner"
    TAKE_BACK = "take back"
    REWRITES_BALANCES = "rewrites balances"
    SELF_DESTRUCTS = "self-destructs"
    FREEZABLE = "freezable"
    HIGH_TAX = "high tax"
    EXTREME_TAX = "extreme tax"
    SETTABLE_TAX = "settable tax"
    BLACKLISTS = "blacklists"
    PAUSABLE = "pausable"
    PROXY = "proxy"
    UNVERIFIED = "unverified"
    SAME_CREATOR = "same creator"
    FAKE = "fake"
    SIPHONS = "siphons"
    UNPROVED = "unproved"
    """No source could simulate a sale; many facts are unknown."""
    SILENT = "silent"
    """What is known was read hours ago."""


_TOLD: dict[Fault, Facts] = {
    Fault.HONEYPOT: {"is_honeypot": True, "cannot_sell_all": True},
    Fault.CANNOT_SELL: {"cannot_sell_all": True},
    Fault.MINTABLE: {"is_mintable": True},
    Fault.HIDDEN_OWNER: {"has_hidden_owner": True},
    Fault.TAKE_BACK: {"can_take_back_ownership": True},
    Fault.REWRITES_BALANCES: {"owner_can_change_balance": True},
    Fault.SELF_DESTRUCTS: {"can_selfdestruct": True},
    Fault.FREEZABLE: {"is_freezable": True, "can_blacklist": True},
    Fault.HIGH_TAX: {"buy_tax_pct": 6.0, "sell_tax_pct": 14.0},
    Fault.EXTREME_TAX: {
        "buy_tax_pct": 5.0,
        "sell_tax_pct": 99.0,
        "critical_flags": ("extremely_high_taxes",),
    },
    Fault.SETTABLE_TAX: {"is_tax_modifiable": True, "is_personal_tax_modifiable": True},
    Fault.BLACKLISTS: {"can_blacklist": True},
    Fault.PAUSABLE: {"is_pausable": True},
    Fault.PROXY: {"is_proxy": True},
    Fault.UNVERIFIED: {"is_verified": False},
    Fault.SAME_CREATOR: {"creator_made_honeypots": True},
    Fault.FAKE: {"is_fake": True},
    Fault.SIPHONS: {"critical_flags": ("high_siphon_rate",)},
    Fault.UNPROVED: {
        "is_honeypot": None,
        "simulation_succeeded": None,
        "cannot_buy": None,
        "cannot_sell_all": None,
        "sell_tax_pct": None,
        "is_mintable": None,
        "owner_address": None,
        "is_freezable": None,
        "is_non_transferable": None,
    },
    Fault.SILENT: {},
}
_OWNED = {Fault.MINTABLE, Fault.SETTABLE_TAX, Fault.BLACKLISTS, Fault.PAUSABLE, Fault.PROXY}
"""Faults that need an owner who is still there."""

_CLEAN: Facts = {
    "is_honeypot": False,
    "simulation_succeeded": True,
    "cannot_buy": False,
    "cannot_sell_all": False,
    "buy_tax_pct": 0.0,
    "sell_tax_pct": 0.0,
    "is_tax_modifiable": False,
    "is_mintable": False,
    "has_hidden_owner": False,
    "can_take_back_ownership": False,
    "owner_can_change_balance": False,
    "can_selfdestruct": False,
    "is_pausable": False,
    "is_personal_tax_modifiable": False,
    "has_trading_cooldown": False,
    "can_blacklist": False,
    "is_proxy": False,
    "is_verified": True,
    "is_freezable": False,
    "is_non_transferable": False,
    "creator_made_honeypots": False,
    "is_fake": False,
}
_CLEAN_ON_SOLANA: Facts = {
    "is_honeypot": None,
    "simulation_succeeded": None,
    "has_transfer_hook": False,
    "has_sell_route": True,
}
_TOLD_ON_SOLANA: dict[Fault, Facts] = {
    Fault.HONEYPOT: {"is_honeypot": None, "is_non_transferable": True, "has_sell_route": False},
    Fault.CANNOT_SELL: {"has_transfer_hook": True, "has_sell_route": False},
    Fault.UNPROVED: {"has_transfer_hook": None, "has_sell_route": None},
}


def facts_of(faults: Iterable[Fault], chain: str, owner: str, unknown: Iterable[str]) -> Facts:
    """What sources tell of a contract with these faults.

    On Solana there is no trial sale, but a route to sell and what could stop it. `owner` is the address that
    runs it if a fault needs one, else it is renounced. `unknown` are the facts that sources never tell.
    """
    facts = _CLEAN | (_CLEAN_ON_SOLANA if chain == "solana" else {})
    ordered = sorted(faults)
    facts["owner_address"] = owner if _OWNED.intersection(ordered) else NULL_OWNER
    for fault in ordered:
        facts |= _TOLD[fault]
        if chain == "solana":
            facts |= _TOLD_ON_SOLANA.get(fault, {})
    return facts | dict.fromkeys(unknown)


def contract_facts(facts: Facts, read_us: int) -> ContractFacts:
    """The same as read at `read_us`."""
    return ContractFacts(SOURCE, read_us, read_us, **facts)
