"""Is a start valid?  Four criteria and two rules, for any net: see :mod:`.criteria`."""

from initcourse.diagnosis.criteria import (
    CRITERIA,
    RULES,
    Check,
    Diagnosis,
    Layers,
    Losses,
    Thresholds,
    diagnose,
)
from initcourse.diagnosis.networks import diagnose_network

__all__ = [
    "CRITERIA",
    "RULES",
    "Check",
    "Diagnosis",
    "Layers",
    "Losses",
    "Thresholds",
    "diagnose",
    "diagnose_network",
]
