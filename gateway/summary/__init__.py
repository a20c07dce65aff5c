"""Stage 2: reduce a datasource to names, types and disclosure-controlled statistics."""
