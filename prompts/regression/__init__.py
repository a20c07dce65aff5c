"""The offline regression suite of prompts: cases, comparison and reports. Knows no gateway and no database."""
