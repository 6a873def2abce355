"""Where a change set meets the head: which documents both have changed, and how one gets from there to a publish.

A document that only the set has changed since it was first touched is taken as it is, whatever version the head has
reached. Only a document changed on both sides stands against publishing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metadata.build import Documents
from metadata.changesets import DocumentDraft
from metadata.merging import Document, Meeting, differing_paths, merge_documents, same
from metadata.versions import former_names


@dataclass(frozen=True, slots=True)
class DraftConflict:
    """A document that the set and the head have both changed. `theirs` is the head's; None is one that is not there.

    `paths` are where the two differ, `meetings` where both changed the same. Without `meetings` `merged` is a proposal
    that holds the changes of both.
    """

    kind: str
    name: str
    base: Document | None
    theirs: Document | None
    yours: Document | None
    paths: tuple[tuple[str, ...], ...]
    meetings: tuple[Meeting, ...]
    merged: Document | None

    @property
    def mergeable(self) -> bool:
        """Whether the merge of both settles it."""
        return not self.meetings


def conflicts_over(head: Documents, drafts: Sequence[DocumentDraft]) -> tuple[DraftConflict, ...]:
    """The drafts that a head has changed too: it is not their base any more, and not what they want."""
    found = []
    for item in drafts:
        theirs = theirs_of(head, item)
        if same(theirs, item.base) or same(theirs, item.draft):
            continue
        merged = merge_documents(item.base, theirs, item.draft)
        paths = differing_paths(theirs, item.draft)
        found.append(DraftConflict(*item.key, item.base, theirs, item.draft, paths, merged.meetings, merged.document))
    return tuple(found)


def base_of(head: Documents, key: tuple[str, str], draft: Document | None) -> Document | None:
    """The head's document that a draft changes: of its name, else the one that it renames."""
    if key in head:
        return head[key]
    names = former_names(draft) if draft is not None else ()
    return next((head[key[0], was] for was in names if (key[0], was) in head), None)


def theirs_of(head: Documents, item: DocumentDraft) -> Document | None:
    """What has become of a draft's base in the head; a rename that others made too is found under its new name."""
    return head.get(item.base_key) or head.get(item.key)
