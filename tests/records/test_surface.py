"""The surface: what exists for an actor, and what its hash depends on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from access.grant import FieldRights, Grant, Operation, Rows
from expressions import Expression, Type
from expressions.tree import Literal
from metadata.catalog import Catalog
from records.surface import surface_of
from tests.schema.samples import SALES, catalog_of, everything, granted, read


@pytest.fixture(scope="module")
def sales() -> Catalog:
    """The sales company's catalog."""
    return catalog_of(*SALES)


def test_an_owner_sees_everything_that_can_be_shown(sales: Catalog) -> None:
    surface = surface_of(sales, everything(sales))
    assert set(surface.entities) == set(sales.entities)
    account = surface.entities["account"]
    assert set(sales.entities["account"].fields) - account.readable == {"vault", "deletionId"}
    assert account.operations == frozenset(Operation)
    assert {"name", "vault", "owner", "team"} <= account.createable
    assert not account.createable & {"id", "createdAt", "createdBy", "deletedAt"}


def test_an_entity_without_read_is_absent(sales: Catalog) -> None:
    create = Grant(Operation.CREATE, ())
    nothing = Grant(Operation.READ, (Rows.NONE,))
    assert surface_of(sales, granted(account=(create,), product=(nothing,))).entities == {}


def test_a_conditional_field_belongs_to_the_surface(sales: Catalog) -> None:
    never = Expression("false", Literal(False, Type.BOOLEAN), Type.BOOLEAN)
    grant = Grant(Operation.READ, (Rows.ALL,), FieldRights(False, {"revenue": never}))
    seen = surface_of(sales, granted(account=(grant,))).entities["account"]
    assert seen.readable == {"revenue", "id", "version", "createdAt", "updatedAt", "deletedAt"}


def test_relations_need_both_sides(sales: Catalog) -> None:
    both = surface_of(sales, granted(account=(read(),), opportunity=(read(),)))
    assert "opportunities" in both.entities["account"].relations
    assert both.entities["opportunity"].relations == {"account"}
    hidden = surface_of(sales, granted(account=(read(),), opportunity=(read(hide=("account",)),)))
    assert "opportunities" not in hidden.entities["account"].relations
    linked = surface_of(sales, granted(product=(read(),), opportunity=(read(hide=("products",)),)))
    assert linked.entities["product"].relations == frozenset()


def test_references_are_written_only_to_what_can_be_read(sales: Catalog) -> None:
    create = Grant(Operation.CREATE, ())
    seen = surface_of(sales, granted(opportunity=(read(), create))).entities["opportunity"]
    assert not seen.createable & {"account", "products", "lines", "owner"}
    assert "name" in seen.createable


def test_children_are_written_where_one_of_them_can_change(sales: Catalog) -> None:
    create = Grant(Operation.CREATE, ())
    only_read = surface_of(sales, granted(opportunity=(read(), create), line=(read(),)))
    assert "lines" not in only_read.entities["opportunity"].createable
    deleted = surface_of(
        sales, granted(opportunity=(read(), create), line=(read(), Grant(Operation.DELETE, (Rows.ALL,))))
    )
    assert "lines" in deleted.entities["opportunity"].createable


def test_a_transfer_is_a_right_of_its_own(sales: Catalog) -> None:
    grants = everything(sales)
    without = tuple(grant for grant in grants.entities["account"] if grant.operation is not Operation.TRANSFER)
    seen = surface_of(sales, replace(grants, entities={**grants.entities, "account": without})).entities["account"]
    assert "owner" in seen.createable
    assert "owner" not in seen.updatable


def test_fixed_fields_of_system_entities_are_not_written(sales: Catalog) -> None:
    member = surface_of(sales, everything(sales)).entities["member"]
    assert member.operations == {Operation.READ}
    assert not member.updatable


def test_the_hash_tells_surfaces_apart_and_nothing_else(sales: Catalog) -> None:
    own = Grant(Operation.READ, (Rows.OWN,))
    one = surface_of(sales, granted(account=(own,)))
    assert one.hash == surface_of(sales, granted(account=(read(), own))).hash  # row rules are the gate's
    assert one.hash != surface_of(sales, granted(account=(read(hide=("revenue",)),))).hash
