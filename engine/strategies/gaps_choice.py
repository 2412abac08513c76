"""Which rule of `gaps` decides, and why: `auto` is the full rule once a model is registered (SPEC 14)."""

from dataclasses import dataclass

from engine.strategies.gaps_config import GapsRule


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """`rule` is naive or full; `why` in words fit for a status line."""

    rule: GapsRule
    why: str


def choose_rule(configured: GapsRule, model_id: str | None) -> RuleChoice:
    """The rule in force. `model_id`: of the model on the shelf; None: there is none."""
    if configured is GapsRule.NAIVE:
        return RuleChoice(GapsRule.NAIVE, 'gaps.rule = "naive"')
    if configured is GapsRule.FULL:
        shelf = "no model is registered, so nothing is proposed" if model_id is None else f"model {model_id}"
        return RuleChoice(GapsRule.FULL, f'gaps.rule = "full"; {shelf}')
    if model_id is None:
        return RuleChoice(GapsRule.NAIVE, 'gaps.rule = "auto": no model is registered')
    return RuleChoice(GapsRule.FULL, f'gaps.rule = "auto": model {model_id} is registered')
