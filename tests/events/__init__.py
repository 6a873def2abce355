"""The events room: reading the log, numbering it."""
