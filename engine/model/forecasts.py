"""What a model says of one candidate (SPEC 3.3): chances of the three ways out, and what they rest on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contribution:
    """How much one input moved the log-odds of the bounce away from the model's mean (TreeSHAP)."""

    feature: str
    value: float
    amount: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Chances 0..1 and mean returns as fractions.

    `p_touch`: target or stop is touched before the time exit; `q_bounce`: the target, given a touch; `low`
    and `high` bound it with 90 % confidence. `r_*`: mean return of each way out in training. `outside`:
    inputs beyond 1 %..99 % of the training rows. `is_usable` False: no skill was shown on what is traded, so
    the forecast is `unproved` and decides nothing on a live account.
    """

    model_id: str
    p_touch: float
    q_bounce: float
    low: float
    high: float
    r_target: float
    r_stop: float
    r_time: float
    contributions: tuple[Contribution, ...]
    outside: tuple[str, ...]
    is_usable: bool

    @property
    def p_revert(self) -> float:
        """Chance that the target comes first."""
        return self.p_touch * self.q_bounce

    @property
    def p_stop(self) -> float:
        """Chance that the stop comes first."""
        return self.p_touch * (1 - self.q_bounce)

    @property
    def p_time(self) -> float:
        """Chance that neither comes within the sessions of the exit plan."""
        return 1 - self.p_touch
