"""Ids: what they carry, and that they sort as they were made."""

from __future__ import annotations

from base.ids import MAX_ENTITY_NUMBER, canonical_id, entity_number, new_id


def test_ids_sort_in_the_order_in_which_they_were_made() -> None:
    made = [new_id(7) for _ in range(5_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_an_id_carries_its_entity_and_is_canonical() -> None:
    for number in (0, 1, 300, MAX_ENTITY_NUMBER):
        made = new_id(number)
        assert entity_number(made) == number
        assert canonical_id(made.upper()) == made
