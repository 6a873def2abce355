"""Servers that answer the same questions about the same rows."""
