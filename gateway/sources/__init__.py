"""Datasources: the only code that holds a database driver (stages 2 and 11)."""
