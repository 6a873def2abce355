"""Documents, the catalog, publishing, adopting."""
