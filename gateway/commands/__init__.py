"""The commands of ``rowless``, one file a group. Thin: they parse, call, and print."""
