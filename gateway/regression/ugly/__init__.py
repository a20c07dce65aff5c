"""The fixture `ugly`: an old warehouse with abbreviated, prefixed and spaced names."""
