"""Adopting: an entity document out of any JSON Schema, and a note on everything that changed on the way."""
