"""Filter operators: one file per operator, one line each in `metadata.operators.registry`."""
