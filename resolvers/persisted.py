"""Texts of persisted documents, remembered for a while: a removed one ends everywhere within that time."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from base.clock import now
from base.limits import Limits
from metadata.persisted import persisted_text
from storage.engine import Engine

KEPT_SECONDS: Final = 60.0
"""So long a text is answered from memory."""


class PersistedTexts:
    """The store of `documentId`s as requests see it. Owned by the event loop."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self._engine = engine
        self._size = limits.cached_documents
        self._known: OrderedDict[tuple[str, str], tuple[str, datetime]] = OrderedDict()

    async def get(self, company: str, document_id: str) -> str | None:
        """The text of a company's document by its id, or None; `company` is the namespace."""
        key, at = (company, document_id), now()
        known = self._known.get(key)
        if known is not None and known[1] > at:
            return known[0]
        text = await persisted_text(self._engine, company, document_id)
        self._known.pop(key, None)
        if text is not None:
            self._known[key] = (text, at + timedelta(seconds=KEPT_SECONDS))
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        return text

    def forget(self, company: str, document_id: str) -> None:
        """A document was removed."""
        self._known.pop((company, document_id), None)
