"""Every limit in one place, each with its reason. Settings raise them; over one is an error, never a clamp."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one server. Units stand last in the names."""

    body_bytes: int = 1 << 20  # parsed in memory, before any rule can look at it
    document_chars: int = 128 * 1024  # of one GraphQL document: one long literal costs as much as a screen of fields
    document_tokens: int = 10_000  # a parse costs about 1 us a token
    document_depth: int = 25  # selections nested deeper are fan-out, not a screen
    document_aliases: int = 250  # each alias may be a column or a sub-query
    document_directives: int = 100  # directives multiply validation work
    root_fields: int = 100  # each is a sub-query of the one statement
    selections: int = 5_000  # fields after fragments are spread: a few become SQL each, and fan-out is exponential
    relations: int = 200  # to-one and, twice, lists, after fragments are spread: 1 to 2 ms of planning each
    operations: int = 20  # a document is validated whole
    input_objects: int = 5_000  # coercion of variables costs about 1 us an object
    records: int = 50_000  # estimate: page sizes multiplied
    introspection_rounds: int = 3  # type -> fields -> type: more is an attack, graphql clients need three
    page_size: int = 50  # default of `first`
    page_size_max: int = 1_000
    offset_max: int = 10_000  # deep offsets cost seconds; keyset cursors do not
    filter_depth: int = 10
    filter_nodes: int = 500
    in_list_max: int = 10_000
    search_terms: int = 10
    search_chars: int = 1_000  # folding is not free: some characters fold to eighteen
    relation_rows: int = 1_000  # rows written by one mutation field, nested ones included
    nested_depth: int = 3
    mutation_rows: int = 1_000  # more is an import
    idempotency_hours: int = 24
    idempotency_key_chars: int = 255
    document_bytes: int = 1 << 20  # one configuration document
    document_nodes: int = 20_000  # JSON values in one configuration document
    change_sets: int = 100  # open ones of a company: each is somebody's unfinished work, more is a program run wild
    change_set_documents: int = 1_000  # of one change set: it is read, merged and published as a whole
    fields_per_entity: int = 500  # PostgreSQL holds 1,600 columns a table; dropped ones count
    entities: int = 4_000  # numbers have 12 bits
    expression_chars: int = 4_000
    expression_depth: int = 40
    expression_conditions: int = 10  # nested ones: SQLite's parser keeps 100 symbols, each takes 3 to 5
    expression_nodes: int = 500
    variable_shapes: int = 32  # plans per document and rule hash
    cached_documents: int = 2_000  # per compiled schema
    cached_schemas: int = 200
    text_chars: int = 100_000  # any one text value without its own maxLength
    json_bytes: int = 256 * 1024  # one json field's value
    actor_seconds: float = 5.0  # age at which a cached actor is read again
    request_seconds: float = 30.0
    trash_days: float = 30.0  # removed columns keep their values for so long: time to notice, and to roll back
    publish_at_once_rows: int = 10_000  # a larger table's readers would wait too long for one transaction's fill
    publish_chunk_rows: int = 1_000  # filled in one transaction: their locks are held for some milliseconds
    publish_wait_seconds: float = 5.0  # a publish that takes longer is answered as still being prepared
    preview_rows: int = 100_000  # tested one by one against new keywords by one preview: about a second
    use_documents: int = 2_000  # documents whose use is counted per company: more are generated, not written
    use_chars: int = 4_000  # of a used document's text that are kept: enough to find it again
    use_forms: int = 2_000  # pairs of a form and a document told apart per company: clients name forms as they like
    use_days: int = 90  # how long the evidence of use is kept: a quarterly report is seen once in it
    use_seconds: float = 30.0  # counts in memory are written so often
    job_lease_seconds: float = 60.0  # a worker silent for so long is dead: longer than any pause of a busy process
    lock_timeout_ms: int = 300  # readers queue behind waiting DDL for at most this long


DEFAULTS = Limits()
