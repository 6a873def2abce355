"""`pliant token`: tokens by which programs act as members."""

from __future__ import annotations

from collections.abc import Sequence

import click

from access.token import list_tokens, revoke_token
from base.clock import timestamp
from base.errors import BadInput, NotFound, Text
from base.ids import canonical_id
from pliant.house import House
from pliant.terminal import chosen_company, company_option, in_house, json_option, show


@click.group()
def token() -> None:
    """Create, revoke and list tokens."""


@token.command()
@click.argument("member")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.option("--role", "roles", multiple=True, required=True, help="Role that it has; may be repeated.")
@company_option
@json_option
def create(member: str, name: str, roles: Sequence[str], company_id: str | None, as_json: bool) -> None:
    """Make a token that acts as MEMBER (an id or an e-mail address); it is shown once."""

    async def work(house: House) -> None:
        company = await chosen_company(house, company_id)
        text = await house.create_token(company, await house.member_id(company, member), name, roles)
        show(as_json, {"token": text}, [f"token: {text}"])

    in_house(as_json, work)


@token.command("list")
@company_option
@json_option
def list_(company_id: str | None, as_json: bool) -> None:
    """List the tokens that are not revoked, without their secrets."""

    async def work(house: House) -> None:
        company = await house.company(await chosen_company(house, company_id))
        found = await list_tokens(house.engine, company.namespace)
        value = [
            {
                "id": item.id,
                "name": item.name,
                "member": item.member_id,
                "roles": list(item.roles),
                "createdAt": timestamp(item.created_at),
                "expiresAt": timestamp(item.expires_at) if item.expires_at is not None else None,
            }
            for item in found
        ]
        show(as_json, value, [f"{item.id}  {item.member_id}  {','.join(item.roles)}  {item.name}" for item in found])

    in_house(as_json, work)


@token.command()
@click.argument("token_id")
@company_option
@json_option
def revoke(token_id: str, company_id: str | None, as_json: bool) -> None:
    """End a token by its id (pliant token list). Running servers follow within seconds."""

    async def work(house: House) -> None:
        company = await house.company(await chosen_company(house, company_id))
        found = canonical_id(token_id)
        if found is None:
            raise BadInput(Text("This is no token id: see pliant token list", "令牌 ID 无效：见 pliant token list"))
        writer = house.runtime.writer(company.namespace, await house.head(company.id), None)
        written = await revoke_token(writer, found)
        if written.faults:
            raise NotFound(written.faults[0].text)
        show(as_json, {"revoked": found}, [f"revoked: {found}"])

    in_house(as_json, work)
