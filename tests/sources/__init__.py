"""Tests of sources: CSV files, mappings, imports, generated data, the CRM template."""
