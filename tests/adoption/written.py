"""JSON Schemas written for these tests, in the manner of well-known public ones: our own words, none is a copy."""

from __future__ import annotations

from typing import Any

S: dict[str, Any] = {"type": "string"}
N: dict[str, Any] = {"type": "number"}
WHOLE: dict[str, Any] = {"type": "integer"}
B: dict[str, Any] = {"type": "boolean"}
URI: dict[str, Any] = {"type": "string", "format": "uri"}
MAIL: dict[str, Any] = {"type": "string", "format": "email"}
DAY: dict[str, Any] = {"type": "string", "format": "date"}
AT: dict[str, Any] = {"type": "string", "format": "date-time"}
D4, D6, D7 = (f"http://json-schema.org/draft-0{number}/schema#" for number in (4, 6, 7))
D19, D20 = (f"https://json-schema.org/draft/{name}/schema" for name in ("2019-09", "2020-12"))


def ref(name: str) -> dict[str, Any]:
    """A reference into `definitions`."""
    return {"$ref": f"#/definitions/{name}"}


def many(items: dict[str, Any], **words: Any) -> dict[str, Any]:
    """A list."""
    return {"type": "array", "items": items, **words}


def obj(properties: dict[str, Any], required: tuple[str, ...] = (), **words: Any) -> dict[str, Any]:
    """An object."""
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {}), **words}


def schema(draft: str, title: str, properties: dict[str, Any], *required: str, **words: Any) -> dict[str, Any]:
    """A whole schema."""
    return {"$schema": draft, "title": title, **obj(properties, required), **words}


ADDRESS = obj({"street": S, "postal-code": S, "city": S, "country": {"type": "string", "pattern": "^[A-Z]{2}$"}})

WRITTEN: dict[str, dict[str, Any]] = {
    "schema.org Person": schema(
        D7,
        "Person",
        {
            "@type": {"const": "Person"},
            "givenName": S,
            "familyName": S,
            "birthDate": DAY,
            "email": MAIL,
            "url": URI,
            "jobTitle": S,
            "worksFor": {"oneOf": [S, obj({"name": S})]},
            "address": ref("address"),
            "knows": many(S),
            "gender": {"enum": ["male", "female", "非二元", None]},
        },
        "familyName",
        definitions={"address": ADDRESS},
    ),
    "schema.org Organization": schema(
        D20,
        "Organization",
        {
            "legalName": {**S, "maxLength": 200},
            "taxID": S,
            "numberOfEmployees": {**WHOLE, "minimum": 0},
            "foundingDate": DAY,
            "sameAs": many(URI),
            "address": {"$ref": "#/$defs/address"},
            "parentOrganization": {"$ref": "#"},
        },
        "legalName",
        **{"$defs": {"address": ADDRESS}},
    ),
    "vCard": schema(
        D4,
        "card",
        {
            "fn": S,
            "n": many(S, minItems=1, maxItems=5),
            "tel": many(obj({"type": {"enum": ["home", "work", "cell"]}, "value": S}, ("value",))),
            "bday": {**S, "format": "date"},
            "tz": S,
            "rev": AT,
            "kind": {"enum": ["individual", "group", "org", "location"], "default": "individual"},
        },
        "fn",
        id="http://x.example/vcard",
    ),
    "GeoJSON Feature": schema(
        D7,
        "GeoJSON Feature",
        {
            "type": {"enum": ["Feature"]},
            "id": {"oneOf": [S, N]},
            "properties": {"oneOf": [{"type": "null"}, {"type": "object"}]},
            "geometry": {
                "oneOf": [
                    {"type": "null"},
                    obj({"type": {"enum": ["Point"]}, "coordinates": many(N, minItems=2)}, ("type", "coordinates")),
                ]
            },
            "bbox": many(N, minItems=4),
        },
        "type",
        "properties",
        "geometry",
    ),
    "CycloneDX component": schema(
        D7,
        "Component",
        {
            "type": {"enum": ["application", "library", "machine-learning-model", "file"]},
            "bom-ref": {**S, "minLength": 1},
            "name": S,
            "version": S,
            "purl": S,
            "scope": {"enum": ["required", "optional", "excluded"], "default": "required"},
            "hashes": many(
                obj(
                    {"alg": {"enum": ["MD5", "SHA-256"]}, "content": {**S, "pattern": "^[a-f0-9]+$"}},
                    ("alg", "content"),
                    additionalProperties=False,
                )
            ),
            "components": many({"$ref": "#"}, uniqueItems=True),
        },
        "type",
        "name",
        additionalProperties=False,
    ),
    "package.json": schema(
        D7,
        "package",
        {
            "name": {**S, "pattern": "^[a-z0-9._-]+$", "maxLength": 214},
            "version": S,
            "private": B,
            "keywords": many(S),
            "license": S,
            "bin": {"type": ["string", "object"], "additionalProperties": S},
            "dependencies": {"type": "object", "additionalProperties": S},
            "engines": {"type": "object", "patternProperties": {"^node": S}},
            "homepage": {"oneOf": [URI, {"enum": ["."]}]},
            "type": {"enum": ["commonjs", "module"], "default": "commonjs"},
        },
        "name",
        "version",
        patternProperties={"^_": True},
    ),
    "GitHub webhook, issue": schema(
        D7,
        "issues event",
        {
            "action": {"enum": ["opened", "edited", "closed"]},
            "number": {**WHOLE, "minimum": 1},
            "title": S,
            "state_reason": {"anyOf": [ref("reason"), {"type": "null"}]},
            "labels": many(obj({"id": WHOLE, "name": S})),
            "created_at": AT,
            "closed_at": {**AT, "type": ["string", "null"]},
            "user": obj({"login": S}, ("login",)),
            "html_url": URI,
        },
        "action",
        "number",
        definitions={"reason": {"enum": ["completed", "not_planned"]}},
    ),
    "Stripe customer": {
        "openapi": "3.0",
        **schema(
            D4,
            "customer",
            {
                "id": {**S, "maxLength": 5000},
                "object": {"enum": ["customer"]},
                "balance": WHOLE,
                "currency": {**S, "nullable": True},
                "delinquent": {**B, "nullable": True},
                "email": {**S, "nullable": True},
                "created": WHOLE,
                "livemode": B,
                "metadata": {"type": "object", "additionalProperties": S},
                "default_source": {"anyOf": [S, obj({"id": S})]},
                "shipping": {"$ref": "#/components/schemas/shipping"},
            },
            "id",
            "created",
        ),
    },
    "HubSpot contact": schema(
        D7,
        "contact",
        {
            "firstname": S,
            "lastname": S,
            "email": MAIL,
            "lifecyclestage": {
                "oneOf": [
                    {"const": "lead", "title": "Lead"},
                    {"const": "marketingqualifiedlead", "title": "Marketing qualified"},
                    {"const": "customer"},
                ]
            },
            "hs_lead_status": {"enum": ["NEW", "OPEN_DEAL", "IN PROGRESS", "UNQUALIFIED"]},
            "phone": S,
            "lastmodifieddate": AT,
            "hubspot_owner_id": S,
            "annualrevenue": {"type": "number", "multipleOf": 0.01},
        },
        "email",
    ),
    "Salesforce account": schema(
        D7,
        "Account",
        {
            "Id": {**S, "maxLength": 18, "readOnly": True},
            "Name": {**S, "maxLength": 255},
            "AnnualRevenue": N,
            "Industry": {
                "enum": ["Agriculture", "Food & Beverage", "Not For Profit", None],
                "type": ["string", "null"],
            },
            "OwnerId": S,
            "ParentId": S,
            "Rating": {"enum": ["Hot", "Warm", "Cold"]},
            "Website": URI,
            "NumberOfEmployees": {**WHOLE, "maximum": 99999999},
            "CreatedDate": {**AT, "readOnly": True},
        },
        "Name",
    ),
    "FHIR Patient": schema(
        D6,
        "Patient",
        {
            "resourceType": {"const": "Patient"},
            "id": {**S, "pattern": "^[A-Za-z0-9.-]{1,64}$"},
            "active": B,
            "name": many(ref("HumanName")),
            "gender": {"enum": ["male", "female", "other", "unknown"]},
            "birthDate": {**S, "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"},
            "deceasedBoolean": B,
            "multipleBirthInteger": WHOLE,
            "contained": many({}),
            "_birthDate": {"type": "object"},
        },
        "resourceType",
        definitions={"HumanName": obj({"family": S, "given": many(S), "use": {"enum": ["usual", "official"]}})},
        additionalProperties=False,
    ),
    "iCalendar event": schema(
        D19,
        "VEVENT",
        {
            "uid": {**S, "format": "uuid"},
            "dtstamp": AT,
            "dtstart": AT,
            "dtend": AT,
            "duration": {**S, "format": "duration"},
            "summary": S,
            "status": {"enum": ["TENTATIVE", "CONFIRMED", "CANCELLED"]},
            "rrule": S,
            "priority": {**WHOLE, "minimum": 0, "maximum": 9},
            "attendee": many(MAIL),
            "geo": {"type": "array", "items": [N, N]},
        },
        "uid",
        "dtstart",
        dependentRequired={"rrule": ["dtend"]},
        **{"not": {"required": ["dtend", "duration"]}},
    ),
    "JSON Resume": schema(
        D7,
        "Resume Schema",
        {
            "basics": obj({"name": S, "email": MAIL, "profiles": many(obj({"network": S, "url": URI}))}),
            "work": many(obj({"name": S, "startDate": ref("iso8601"), "highlights": many(S)})),
            "skills": many(obj({"name": S, "keywords": many(S)})),
            "meta": obj({"version": S}),
        },
        definitions={"iso8601": {**S, "pattern": "^[12][0-9]{3}(-[01][0-9])?$"}},
        additionalProperties=False,
    ),
    "Open Product Data": schema(
        D4,
        "product",
        {
            "gtin": {**S, "pattern": "^[0-9]{8,14}$"},
            "name": S,
            "brand": S,
            "net_weight_g": {**N, "minimum": 0, "exclusiveMinimum": True},
            "categories": many(S, uniqueItems=True),
            "nutriscore": {"enum": ["a", "b", "c", "d", "e"]},
            "ingredients": many(obj({"name": S, "percent": {**N, "maximum": 100}})),
        },
        "gtin",
        "name",
    ),
    "UBL invoice": schema(
        D7,
        "Invoice",
        {
            "ID": S,
            "IssueDate": DAY,
            "DueDate": DAY,
            "InvoiceTypeCode": {"enum": ["380", "381", "384"]},
            "DocumentCurrencyCode": {**S, "minLength": 3, "maxLength": 3},
            "PayableAmount": {"type": "string", "format": "decimal"},
            "InvoiceLine": many(obj({"ID": S, "Quantity": N, "Price": N}, ("ID",)), minItems=1),
        },
        "ID",
        "IssueDate",
        "InvoiceLine",
    ),
    "CloudEvents": schema(
        D7,
        "CloudEvent",
        {
            "id": ref("idDef"),
            "source": {**S, "format": "uri-reference", "minLength": 1},
            "specversion": {"const": "1.0"},
            "type": {**S, "minLength": 1},
            "datacontenttype": {"type": ["string", "null"]},
            "subject": {"type": ["string", "null"], "minLength": 1},
            "time": {"type": ["string", "null"], "format": "date-time"},
            "data": {"type": ["object", "string", "number", "array", "boolean", "null"]},
        },
        "id",
        "source",
        "specversion",
        "type",
        definitions={"idDef": {"type": "string", "minLength": 1}},
    ),
    "Slack message": schema(
        D7,
        "Message",
        {
            "channel": S,
            "text": S,
            "ts": {**S, "pattern": "^[0-9]+\\.[0-9]{6}$"},
            "blocks": many(
                {"anyOf": [obj({"type": {"const": "section"}, "text": S}), obj({"type": {"const": "divider"}})]}
            ),
            "mrkdwn": {**B, "default": True},
        },
        "channel",
        **{"if": {"properties": {"mrkdwn": {"const": False}}, "required": ["mrkdwn"]}, "then": {"required": ["text"]}},
    ),
    "payment by card or account": {
        "$schema": D7,
        "title": "Payment",
        "oneOf": [ref("card"), ref("sepa")],
        "definitions": {
            "card": obj({"number": S, "expires": S}, ("number",)),
            "sepa": obj({"iban": S, "bic": S}, ("iban",)),
        },
    },
}
