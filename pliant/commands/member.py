"""`pliant member`: members of a company."""

from __future__ import annotations

from collections.abc import Sequence

import click

from base.json import Json
from pliant.house import House
from pliant.terminal import chosen_company, company_option, in_house, json_option, show


@click.group()
def member() -> None:
    """Add members to a company."""


@member.command()
@click.argument("name")
@click.option("--email", help="E-mail address, unique in the company.")
@click.option("--role", "roles", multiple=True, help="Role to give; may be repeated.")
@click.option("--team", "teams", multiple=True, help="Id of a team; may be repeated, the first one owns his records.")
@click.option("--locale", help="Language of messages, such as en or zh-Hans.")
@company_option
@json_option
def add(
    name: str,
    email: str | None,
    roles: Sequence[str],
    teams: Sequence[str],
    locale: str | None,
    company_id: str | None,
    as_json: bool,
) -> None:
    """Add a member."""
    given: dict[str, Json] = {"name": name, "roles": list(roles), "teamIds": list(teams)}
    given.update({key: value for key, value in (("email", email), ("locale", locale)) if value is not None})

    async def work(house: House) -> None:
        member_id = await house.add_member(await chosen_company(house, company_id), given)
        show(as_json, {"member": member_id}, [f"member: {member_id}"])

    in_house(as_json, work)
