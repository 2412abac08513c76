"""How new and complete the inputs of a decision are: `data_recency`, `data_completeness` of stocks."""

from collections.abc import Sequence

import numpy as np

from engine.features.assemble import Stamp, observe
from engine.features.declared import DECLARED
from engine.model.candidates import FeatureValue, MissingReason
from engine.scoring.confidence import freshness

SOURCE = "validation"


def soundness(inputs: Sequence[FeatureValue], now_us: int) -> tuple[FeatureValue, FeatureValue]:
    """`data_recency` and `data_completeness` of the inputs that a decision requires.

    One that does not apply is not required. One that must come from the last completed bar is as new as can
    be while it is there: an older one is missing as stale.
    """
    required = [value for value in inputs if value.missing is not MissingReason.NOT_APPLICABLE]
    present = [value for value in required if value.value is not None]
    total = sum(_freshness(value, now_us) for value in present)
    columns = {
        "freshness": np.array([total], dtype=np.float64),
        "present": np.array([len(present)], dtype=np.float64),
        "required": np.array([len(required)], dtype=np.float64),
    }
    stamp = Stamp(now_us, now_us, SOURCE)
    return observe("data_recency", columns, stamp), observe("data_completeness", columns, stamp)


def _freshness(value: FeatureValue, now_us: int) -> float:
    record = DECLARED.get(value.id)
    if record is None or record.max_age_s is None:
        return 1.0
    return freshness((now_us - value.ts_event) / 1e6, record.max_age_s)
