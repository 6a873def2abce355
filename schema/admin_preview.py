"""The preview of a publish and the use of aliases, as the administration shows them."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from metadata.publishing.cost import Cost
from metadata.publishing.document_diff import Difference, DocumentDifference
from metadata.usage import Use, summed
from resolvers.failing import FailingRows
from resolvers.preview import ClientUse, Preview, SchemaChange, Severity
from schema.admin_types import DocumentChange, instant, user_errors
from schema.fixed import Instant, Json, UserError

strawberry.enum(Severity, name="PliantSeverity", description="What a change means for a client that is in use.")
strawberry.enum(Difference, name="PliantDifference", description="What happens to a document or to a value in it.")


@strawberry.type(name="PliantJSONChange", description="One difference inside a document; long values are cut.")
class ValueChange:
    """A path with what stands there and what will."""

    path: list[str]
    kind: Difference
    before: Json | None
    after: Json | None


@strawberry.type(name="PliantDocumentDifference", description="One document that changes.")
class ChangedDocument:
    """A document with its first changes."""

    kind: str
    name: str
    change: Difference
    was: str | None = strawberry.field(description="The document whose place it takes by x-was.")
    changes: list[ValueChange]
    more: int = strawberry.field(description="Changes that are not listed.")

    @staticmethod
    def of(item: DocumentDifference) -> ChangedDocument:
        """The shown form."""
        changes = [
            ValueChange(
                path=list(change.path),
                kind=change.kind,
                before=None if change.before is None else Json(change.before),
                after=None if change.after is None else Json(change.after),
            )
            for change in item.changes
        ]
        kind, name = item.document
        return ChangedDocument(kind=kind, name=name, change=item.kind, was=item.was, changes=changes, more=item.more)


@strawberry.type(name="PliantSchemaChange", description="One change of the GraphQL schema, as an owner sees it.")
class ChangedSchema:
    """Severity, coordinate, words."""

    severity: Severity
    coordinate: str = strawberry.field(description="A schema coordinate: Opportunity.amount, Query.deals(filter:).")
    message: str

    @staticmethod
    def of(item: SchemaChange, locale: str) -> ChangedSchema:
        """The shown form."""
        return ChangedSchema(
            severity=item.severity, coordinate=item.coordinate, message=item.text.localized(locale)
        )  # fmt: skip


@strawberry.type(name="PliantSample", description="A record that you may read.")
class RecordSample:
    """A record with its display value."""

    id: strawberry.ID
    display: str | None


@strawberry.type(name="PliantFailingRecords", description="Records that would not meet what is new.")
class FailingRecords:
    """What fails, how often, which."""

    path: list[str]
    message: str
    count: int | None = strawberry.field(description="Null where it cannot be counted.")
    blocks: bool = strawberry.field(description="Publishing is refused while there are any.")
    scanned: int | None = strawberry.field(description="Only so many were looked at; null: all.")
    samples: list[RecordSample] = strawberry.field(description="At most five, of those that you may read.")
    query: str | None = strawberry.field(description="A GraphQL document that lists them.")

    @staticmethod
    def of(item: FailingRows, locale: str) -> FailingRecords:
        """The shown form."""
        samples = [RecordSample(id=strawberry.ID(sample.id), display=sample.display) for sample in item.samples]
        return FailingRecords(
            path=list(item.path),
            message=item.text.localized(locale),
            count=item.count,
            blocks=item.blocks,
            scanned=item.scanned,
            samples=samples,
            query=item.query,
        )


@strawberry.type(name="PliantDependent", description="A document that names what is removed, renamed or retyped.")
class DependentDocument:
    """The thing, and where which document names it."""

    thing: str
    kind: str
    name: str
    path: list[str]


@strawberry.type(name="PliantClientUse", description="A client that uses what would break.")
class ClientEvidence:
    """Which coordinates, by which document, token and form."""

    coordinates: list[str]
    document_id: strawberry.ID
    name: str | None
    token_id: strawberry.ID | None
    token_name: str | None
    form: str | None = strawberry.field(description="The form that its requests name (X-Pliant-Form).")
    count: int = strawberry.field(description="Requests in the days that are kept.")
    last_at: Instant | None
    persisted: bool = strawberry.field(description="Registered; perhaps nobody was seen with it.")

    @staticmethod
    def of(item: ClientUse) -> ClientEvidence:
        """The shown form."""
        return ClientEvidence(
            coordinates=list(item.coordinates),
            document_id=strawberry.ID(item.document),
            name=item.name,
            token_id=None if item.token is None else strawberry.ID(item.token),
            token_name=item.token_name,
            form=item.form,
            count=item.count,
            last_at=None if item.last_at is None else Instant(item.last_at),
            persisted=item.persisted,
        )


@strawberry.type(name="PliantTableCost", description="What is done to one table.")
class TablePrice:
    """Counts, and what they cost."""

    entity: str
    table: str
    rows: int
    new: bool
    columns: int
    indexes: int
    fills: int = strawberry.field(description="Rows that get a value.")
    conversions: int = strawberry.field(description="Values that are converted into a new column.")
    seconds: float
    blocked_ms: float = strawberry.field(description="How long readers of the table wait, expectedly.")


@strawberry.type(name="PliantCost", description="What a publish costs: estimates from measured constants.")
class PublishCost:
    """Work, locks and time."""

    prepared: bool = strawberry.field(description="Done step by step while the old version is served.")
    seconds: float
    blocked_ms: float
    tables: list[TablePrice]

    @staticmethod
    def of(cost: Cost) -> PublishCost:
        """The shown form."""
        tables = [
            TablePrice(
                entity=item.work.entity,
                table=item.work.table,
                rows=item.work.rows,
                new=item.work.new,
                columns=item.work.columns,
                indexes=item.work.indexes,
                fills=item.work.fills,
                conversions=item.work.conversions,
                seconds=item.seconds,
                blocked_ms=item.blocked_ms,
            )
            for item in cost.tables
        ]
        return PublishCost(
            prepared=cost.prepared, seconds=cost.seconds, blocked_ms=cost.blocked_ms, tables=tables
        )  # fmt: skip


@strawberry.type(name="PliantPreview", description="What publishing would change, and what stands against it.")
class PreviewPayload:
    """A preview; nothing was written."""

    changes: list[DocumentChange]
    documents: list[ChangedDocument]
    schema: list[ChangedSchema] = strawberry.field(description="Breaking changes first.")
    records: list[FailingRecords]
    dependents: list[DependentDocument]
    clients: list[ClientEvidence]
    cost: PublishCost
    user_errors: list[UserError]

    @staticmethod
    def of(item: Preview, locale: str) -> PreviewPayload:
        """The shown form of a preview."""
        return PreviewPayload(
            changes=[DocumentChange.of(change) for change in item.changes],
            documents=[ChangedDocument.of(changed) for changed in item.documents],
            schema=[ChangedSchema.of(change, locale) for change in item.schema],
            records=[FailingRecords.of(failing, locale) for failing in item.rows],
            dependents=[
                DependentDocument(
                    thing=".".join(one.thing), kind=one.document[0], name=one.document[1], path=list(one.path)
                )
                for one in item.dependents
            ],
            clients=[ClientEvidence.of(client) for client in item.clients],
            cost=PublishCost.of(item.cost),
            user_errors=user_errors(item.faults, locale),
        )


@strawberry.type(name="PliantAliasUse", description="A client that still uses a former name.")
class AliasUse:
    """Which alias, by which document, token and form."""

    coordinate: str
    current: str = strawberry.field(description="What the same is called now.")
    document_id: strawberry.ID
    name: str | None
    token_id: strawberry.ID | None
    form: str | None = strawberry.field(description="The form that its requests name (X-Pliant-Form).")
    count: int
    last_at: Instant

    @staticmethod
    def all_of(uses: Sequence[Use]) -> list[AliasUse]:
        """One for each alias, document, token and form, most frequent first."""
        seen = summed(
            ((coordinate, current, use.document.document, use.document.name, use.token, use.form), use)
            for use in uses
            for coordinate, current in use.document.aliases.items()
        )
        return [
            AliasUse(
                coordinate=coordinate,
                current=current,
                document_id=strawberry.ID(document),
                name=name,
                token_id=None if token is None else strawberry.ID(token),
                form=form,
                count=count,
                last_at=instant(last),
            )
            for (coordinate, current, document, name, token, form), (count, last) in seen.items()
        ]
