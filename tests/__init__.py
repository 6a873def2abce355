"""Tests, one folder per room; they read like a specification."""
