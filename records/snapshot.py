"""The snapshot: what one request sees, and as whom."""

from __future__ import annotations

from access.actor import Actor
from base.immutable import immutable
from base.limits import Limits
from metadata.catalog import Catalog
from records.reading.cursor import Sealer
from storage.engine import Engine


@immutable
class Snapshot:
    """A company's rows through one catalog version and one actor's eyes. `version` is the company's own number."""

    engine: Engine
    namespace: str
    catalog: Catalog
    version: int
    actor: Actor
    limits: Limits
    sealer: Sealer
