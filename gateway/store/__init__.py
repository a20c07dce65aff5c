"""State: specs, hashes, counts and encrypted text. No rows."""
