"""Stages 8 to 10 and 12: the chart language, its scoped compile, the proof, and the picture."""
