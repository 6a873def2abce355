"""Plain JSON Schemas as they are found in the wild: many drafts, dialects, styles and bad habits."""

from __future__ import annotations

from typing import Any

S: dict[str, Any] = {"type": "string"}
N: dict[str, Any] = {"type": "number"}
DRAFT4 = "http://json-schema.org/draft-04/schema#"
DRAFT7 = "http://json-schema.org/draft-07/schema#"


def obj(properties: dict[str, Any], **words: Any) -> dict[str, Any]:
    """An object schema."""
    return {"type": "object", "properties": properties, **words}


WILD: dict[str, dict[str, Any]] = {
    "person": obj({"firstName": S, "lastName": S, "age": {"type": "integer", "minimum": 0}}, title="Person",
                  **{"$id": "https://example.com/person.schema.json", "$schema": DRAFT7}),
    "snake case": obj({"first_name": S, "last_name": S, "date_of_birth": {"type": "string", "format": "date"}},
                      title="contact_person", required=["first_name"], additionalProperties=True),
    "reserved": obj({"id": {"type": "integer"}, "version": S, "owner": S, "createdAt": S, "not": S, "team_id": S},
                    title="Query", required=["id"]),
    "chinese": obj({"客户名称": S, "状态": {"enum": ["赢单", "输单", "进行中"], "default": "进行中"}, "金额": N},
                   title="商机", required=["客户名称"]),
    "draft 4": obj({"price": {"type": "number", "minimum": 0, "exclusiveMinimum": True}, "id": S}, id="http://x/y#",
                   **{"$schema": DRAFT4}, definitions={"unused": S}),
    "definitions": obj({"billing": {"$ref": "#/definitions/address"}, "shipping": {"$ref": "#/definitions/address"}},
                       title="Order", definitions={"address": obj({"street": S, "zip_code": S}, required=["street"])}),
    "root reference": {"$ref": "#/definitions/Product", "definitions": {
        "Product": obj({"sku": S, "price": {"type": "number", "multipleOf": 0.01}}, required=["sku"])}},
    "pydantic": {"title": "Item", "type": "object", "$defs": {"Color": {"enum": ["red", "green"], "type": "string"}},
                 "properties": {"name": {"title": "Name", "type": "string"}, "color": {"$ref": "#/$defs/Color"},
                                "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}},
                 "required": ["name", "color", "note"]},
    "open api": obj({"petType": S, "name": {"type": "string", "nullable": True}, "tag": {"$ref":
                     "#/components/schemas/Tag"}}, title="Pet", discriminator={"propertyName": "petType"},
                    xml={"name": "pet"}, example={"petType": "cat"}),
    "remote reference": obj({"geo": {"$ref": "https://example.com/geographical-location.schema.json"}, "name": S}),
    "file reference": obj({"secret": {"$ref": "file:///etc/passwd"}, "name": S}),
    "pattern properties": obj({"labels": {"type": "object", "patternProperties": {"^l_": S}}, "name": S}),
    "open map": obj({"counts": {"type": "object", "additionalProperties": {"type": "integer"}}, "name": S}),
    "union": obj({"value": {"type": ["string", "number", "boolean"]}, "maybe": {"type": ["integer", "null"]}}),
    "constants": obj({"kind": {"const": "invoice"}, "level": {"oneOf": [{"const": "LOW", "title": "Low"},
                      {"const": "very high", "title": "Very high"}]}, "one": {"const": 1}}),
    "numbers as enum": obj({"rating": {"enum": [1, 2, 3]}, "size": {"type": "integer", "enum": [10, 20]},
                            "mixed": {"enum": ["a", 1, None]}}),
    "enum without letters": obj({"size": {"enum": ["<10", "10-50", "50+", "", "true"]}, "grade": {"enum": ["A", "a"]}}),
    "tree": obj({"name": S, "children": {"type": "array", "items": {"$ref": "#"}}}),
    "tree of a definition": obj({"root": {"$ref": "#/definitions/node"}}, definitions={
        "node": obj({"label": S, "nodes": {"type": "array", "items": {"$ref": "#/definitions/node"}}})}),
    "conditions": obj({"country": {"enum": ["中国", "US"]}, "postal_code": S, "state": S},
                      **{"if": {"properties": {"country": {"const": "中国"}}, "required": ["country"]},
                         "then": {"required": ["postal_code"]}, "else": {"required": ["state"]}}),
    "dependencies": obj({"credit_card": N, "billing_address": S, "extra": S}, dependencies={
        "credit_card": ["billing_address"], "extra": {"required": ["credit_card"]}}),
    "all of": {"title": "Employee", "allOf": [{"$ref": "#/definitions/base"}, obj({"salary": N})],
               "definitions": {"base": obj({"full name": S}, required=["full name"])}},
    "tuples": obj({"point": {"type": "array", "items": [N, N], "additionalItems": False}, "line": {
        "type": "array", "items": {"type": "array", "items": N}}}),
    "dangerous": obj({"code": {"type": "string", "pattern": "^(a+)+$"}, "at": {"type": "string", "pattern": "(?!x)y"}}),
    "formats": obj({"mail": {"type": "string", "format": "email"}, "site": {"type": "string", "format": "uri"},
                    "at": {"type": "string", "format": "date-time"}, "t": {"type": "string", "format": "time"},
                    "host": {"type": "string", "format": "hostname"}, "u": {"type": "string", "format": "uuid"}}),
    "booleans": obj({"anything": True, "nothing": False, "untyped": {}, "nul": {"type": "null"}}),
    "clashing": obj({"user_name": S, "userName": S, "username": S, "line1": S, "linel": S, "User Name": S}),
    "generated names": obj({"key": {"enum": ["a"]}, "filter": {"enum": ["b"]}, "payload": {"enum": ["c"]},
                            "edge": {"enum": ["d"]}}, title="Connection"),
    "unusual keywords": obj({"a": {"type": "string", "options": {"hidden": True}, "propertyOrder": 3, "x-order": 1},
                             "b": {"type": "string", "enumNames": ["x"]}}, javaType="com.example.A", version=3),
    "long and odd names": obj({"a" * 80: S, "2nd": S, "": S, "$ref": S, "--": S, "näme": S, "URLValue": S},
                              title="Ünïcode Tïtle"),
    "bad defaults": obj({"n": {"type": "integer", "default": "seven"}, "c": {"enum": ["x y"], "default": "x y"}}),
    "array of things": {"type": "array", "items": obj({"name": S, "tags": {"type": "array", "items": S}})},
    "doubling": obj({"a": {"$ref": "#/$defs/a0"}, "name": S}, **{"$defs": {
        **{f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(30)}, "a30": S}}),
    "dynamic": obj({"name": S, "any": {"$dynamicRef": "#node"}}, unevaluatedProperties=False),
}  # fmt: skip
