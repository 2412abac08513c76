"""Joins the parts: config to storage, sources, brokers and the engine."""
