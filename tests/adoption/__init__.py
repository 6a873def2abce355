"""JSON Schemas of public projects, and in the manner of public ones, adopted: what becomes of each."""
