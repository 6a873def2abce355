"""Errors, texts, ids, clock, limits, registries and strict JSON: what every room may use.

No business noun lives here, and nothing here knows a database, GraphQL or HTTP.
"""
