"""Rows of a company: one gate, one read path, one write path, shares.

Every field reference of every kind passes `records.gate`. A read is a `Selection` compiled to one SQL statement that
builds the JSON inside the database; a write is prepared into a Batch without a lock and applied as a value.
"""
