"""Stage 7: planners. None of them can reach a database driver."""
