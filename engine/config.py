"""Joins the engine's component configs; each default lives in the dataclass beside its component."""
