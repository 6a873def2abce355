"""`pliant company`: companies of this database."""

from __future__ import annotations

from pathlib import Path

import click

from base.errors import Text
from metadata.folder import read_folder
from pliant.house import House
from pliant.terminal import in_house, json_option, locale, show
from sources.template import read_template, template_application


@click.group()
def company() -> None:
    """Create, list and delete companies."""


@company.command()
@click.argument("name")
@click.option("--owner", default="Owner", show_default=True, help="Name of the first member, who may do everything.")
@click.option("--email", help="His e-mail address.")
@click.option("--id", "company_id", help="Public id, of lower-case letters and digits; made up when absent.")
@click.option("--documents", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder to publish.")
@click.option("--template", help="Application to begin with, such as crm; its documents are marked as shipped.")
@json_option
def create(
    name: str,
    owner: str,
    email: str | None,
    company_id: str | None,
    documents: Path | None,
    template: str | None,
    as_json: bool,
) -> None:
    """Create a company with an owner and a token for him; the token is shown once."""
    if documents is not None and template is not None:
        raise click.UsageError("--documents and --template exclude each other")

    async def work(house: House) -> None:
        folder = read_folder(documents) if documents is not None else None
        first = [*folder.documents.values()] if folder is not None else [*read_template(template)] if template else []
        application = template_application(template) if template else None
        founded = await house.create_company(name, owner, email, first, company_id, application)
        if folder is not None and folder.layers:
            await house.record_layers(founded.company.id, folder.layers)
        value = {"company": founded.company.id, "owner": founded.owner_id, "token": founded.token}
        show(
            as_json, value, [f"company: {founded.company.id}", f"owner: {founded.owner_id}", f"token: {founded.token}"]
        )

    in_house(as_json, work)


@company.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all companies, oldest first."""

    async def work(house: House) -> None:
        found = await house.companies()
        value = [{"id": item.id, "name": item.name, "state": item.state.value} for item in found]
        show(as_json, value, [f"{item.id}  {item.state.value:<9}  {item.name}" for item in found])

    in_house(as_json, work)


@company.command()
@click.argument("company_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def delete(company_id: str, yes: bool, as_json: bool) -> None:
    """Delete a company with all its records, for ever."""
    if not yes:
        question = Text(
            f"Delete company {company_id} with all its records, for ever?", f"永久删除公司 {company_id} 及其全部数据？"
        )
        click.confirm(question.localized(locale()), abort=True, err=True)

    async def work(house: House) -> None:
        found = await house.company(company_id)
        await house.delete_company(found.id)
        show(as_json, {"deleted": found.id}, [f"deleted: {found.id}"])

    in_house(as_json, work)
