"""Prompts: released metadata and a masked question become typed segments within a token budget (stage 4)."""
