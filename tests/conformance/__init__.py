"""Clients, audits and fuzzers that we did not write, against a real running server: `make conformance`."""
