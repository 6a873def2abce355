"""The production engine: one PostgreSQL schema per company. Knows asyncpg, which is an optional extra."""
