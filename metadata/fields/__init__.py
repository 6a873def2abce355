"""Field types: one file per type, one line per type in `metadata.fields.registry`."""
