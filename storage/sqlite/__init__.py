"""The embedded engine: one SQLite file per company, one writer thread per file, readers beside it."""
