"""What a skill is told beside the message, by the JSON Schema in its front matter."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from activities.plain import clean
from schemas.skills import Skill

LONGEST_SCHEMA, LONGEST_INPUTS = 32 * 1024, 20_000
LONGEST_SENTENCE = 300


def unfit_schema(schema: Mapping[str, Any]) -> str:
    """Why this is no schema of inputs, in one sentence; nothing when it is."""
    if schema.get("type") != "object":
        return "Its inputs are no JSON Schema of type object."
    try:
        _validator(schema)
    except (ValueError, RecursionError):
        return "Its inputs are no JSON Schema that can be read (references to elsewhere are not followed)."
    return ""


def unfit_inputs(skill: Skill, inputs: Mapping[str, Any]) -> str:
    """Why these are not what the skill is to be told, in one sentence; nothing when they are. They are not quoted."""
    if skill.inputs is None:
        return f"The skill {skill.name} takes no inputs." if inputs else ""
    try:
        if len(json.dumps(dict(inputs), allow_nan=False)) > LONGEST_INPUTS:
            return f"The inputs have more than {LONGEST_INPUTS} letters."
        problem = next(iter(_validator(skill.inputs).iter_errors(dict(inputs))), None)
    except (ValueError, TypeError, RecursionError):
        return "The inputs cannot be read as JSON."
    if problem is None:
        return ""
    where = ".".join(map(str, problem.instance_path)) or "inputs"
    return f"{clean(f'{where}: {problem.message}', LONGEST_SENTENCE)}."


def _validator(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Fetches nothing, and matches patterns in no more time than their text takes."""
    if len(json.dumps(schema)) > LONGEST_SCHEMA:
        raise ValueError("the schema is too long")
    return jsonschema_rs.Draft202012Validator(
        dict(schema), mask="this", offline=True, pattern_options=jsonschema_rs.RegexOptions()
    )
