"""Redaction: mask what a person typed, scan what is about to leave. A leaf package (stages 3 and 5)."""
