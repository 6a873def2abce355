"""The published metaschemas of documents: JSON Schema 2020-12, written so that an editor can complete from them."""

from metadata.metaschemas.app import APP_METASCHEMA
from metadata.metaschemas.entity import ENTITY_METASCHEMA

__all__ = ["APP_METASCHEMA", "ENTITY_METASCHEMA"]
