"""The fixed tables of this room in every company, joined."""

from __future__ import annotations

from metadata.changesets import MIGRATIONS as CHANGE_SETS
from metadata.layers import MIGRATIONS as LAYERS
from metadata.persisted import MIGRATIONS as PERSISTED
from metadata.publishing.publication import MIGRATIONS as PUBLICATIONS
from metadata.store import MIGRATIONS as CATALOGS
from metadata.trash import MIGRATIONS as TRASH
from metadata.usage import MIGRATIONS as USES

MIGRATIONS = (*CATALOGS, *TRASH, *PUBLICATIONS, *PERSISTED, *USES, *CHANGE_SETS, *LAYERS)
"""Versions of the catalog, the trash, publications, persisted documents, evidence of use, change sets, layers."""
