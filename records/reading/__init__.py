"""The read path: a selection becomes one SQL statement; beside it flat rows for the stock executor.

Every column comes from `records.gate`; nothing here writes.
"""
