"""The offline regression suite of prompts: cases, cassettes, comparison and reports. Knows no gateway and no database."""
