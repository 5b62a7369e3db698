"""Just enough JSON schema for a pretended model: make a value, or make a value fit."""

from collections.abc import Callable
from typing import Any

from sandbox.brand import Json

Schema = dict[str, Any]
Maker = Callable[[Schema, Schema], Json]

LIMITS = {
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
}


def sample(schema: Schema, root: Schema | None = None) -> Json:
    """The dullest value the schema allows."""
    root = schema if root is None else root
    schema = _resolved(schema, root)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    kinds = schema.get("type", "object" if "properties" in schema else "null")
    kind: str = kinds[0] if isinstance(kinds, list) else kinds
    make = SAMPLES.get(kind)
    return make(schema, root) if make else None


def fitted(value: Json, schema: Schema, root: Schema | None = None) -> Json:
    """The value without what the schema does not know, and with what it asks for."""
    root = schema if root is None else root
    schema = _resolved(schema, root, value)
    if isinstance(value, list):
        return [fitted(item, schema.get("items", {}), root) for item in value]
    known = schema.get("properties")
    if not isinstance(value, dict) or known is None:
        return value
    kept = {name: fitted(value[name], inner, root) for name, inner in known.items() if name in value}
    missing = [name for name in schema.get("required", ()) if name in known and name not in kept]
    return kept | {name: sample(known[name], root) for name in missing}


def _resolved(schema: Schema, root: Schema, value: Json = None) -> Schema:
    """Follow references, and of several choices take the one for the value's kind."""
    for _ in range(20):
        if "$ref" in schema:
            schema = _at(root, schema["$ref"])
        elif choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            schema = next((c for c in choices if _suits(value, _resolved(c, root))), choices[0])
        else:
            break
    return schema


def _at(root: Schema, reference: str) -> Schema:
    found: Json = root
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _suits(value: Json, schema: Schema) -> bool:
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return schema.get("type") == kinds.get(type(value), "null")


def _object(schema: Schema, root: Schema) -> Json:
    return {name: sample(inner, root) for name, inner in schema.get("properties", {}).items()}


def _array(schema: Schema, root: Schema) -> Json:
    return [sample(schema.get("items", {}), root) for _ in range(schema.get("minItems", 0))]


SAMPLES: dict[str, Maker] = {
    "object": _object,
    "array": _array,
    "string": lambda _schema, _root: "Sandbox text.",
    "integer": lambda schema, _root: schema.get("minimum", 1),
    "number": lambda schema, _root: schema.get("minimum", 1.0),
    "boolean": lambda _schema, _root: True,
}


def unsupported(schema: Json) -> str | None:
    """Why a strict structured-output endpoint would refuse this schema, if it would."""
    if isinstance(schema, list):
        return next(filter(None, map(unsupported, schema)), None)
    if not isinstance(schema, dict):
        return None
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    for word in sorted(LIMITS & schema.keys()):
        if not isinstance(schema[word], dict):
            return f"For '{schema.get('type')}' type, property '{word}' is not supported"
    return next(filter(None, map(unsupported, schema.values())), None)
