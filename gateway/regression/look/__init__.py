"""How the HTML report looks: its page, style and script."""
