"""The gateway: one straight line from a question to a chart, and the doors to it."""
