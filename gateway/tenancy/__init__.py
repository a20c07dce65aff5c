"""Who asks, and what of the data they may see."""
