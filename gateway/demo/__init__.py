"""The demo: three invented companies in one database, the questions to ask it and the rules of who sees what."""
