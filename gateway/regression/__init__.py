"""The regression suite's part that needs the line: fixtures, the runner over the real stages, the pytest plugin."""
