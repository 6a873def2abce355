"""Where rows are kept: one contract, two engines (SQLite, PostgreSQL), batches, DDL and jobs.

A company is a namespace of real tables. Nothing here knows an entity, an actor or GraphQL; a write arrives as a value
(`Batch`) and is applied in one transaction without coming back to its maker.
"""
