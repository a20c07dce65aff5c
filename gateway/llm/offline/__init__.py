"""Offline planner: deterministic, in-process, reads only what a model would get (stage 7)."""
