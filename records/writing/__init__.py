"""The write path: commands become a Batch, prepared without a lock and applied as a value.

Every write of a record, whoever asks for it, comes through `records.writing.save`.
"""
