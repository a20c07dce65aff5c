"""Recognisers, one file a kind."""
