"""The audit log: what is about to leave is written down first."""
