"""What the README says of the configuration is true."""

import json
import re
from pathlib import Path

from schemas.settings import Settings
from starter.inbox import read

README = (Path(__file__).parents[1] / "README.md").read_text()


def variables() -> dict[str, object]:
    """Each setting's variable with its default, as the environment would give it."""
    found = {}
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        variable = alias.choices[0] if alias is not None else f"GREENROOM_{name.upper()}"  # type: ignore[union-attr]
        found[str(variable)] = field.default
    return found


def test_every_setting_is_in_the_table_and_nothing_else() -> None:
    named = set(
        re.findall(
            r"`((?:GREENROOM|DATABASE|PERPLEXITY|ANTHROPIC|GEMINI|GOOGLE|BRAVE|CONGRESS|ELEVENLABS|TELEGRAM|VOYAGE)_[A-Z_]+)`",
            README,
        )
    )
    assert named == set(variables())


def test_the_defaults_in_the_table_are_the_defaults() -> None:
    for variable, default in variables().items():
        row = re.search(rf"^\| .*`{variable}`[^|]*\|\s*([^|]*?)\s*\|", README, re.MULTILINE)
        assert row, variable
        if isinstance(default, str | int | float) and default:
            assert row[1] == f"`{_written(default)}`", variable


def _written(default: str | float) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_the_event_that_it_sends_can_be_sent() -> None:
    name, data = re.findall(r"events send (\S+) --data '([^']*)'", README)[0]
    (sent,) = read({"name": name, "data": json.loads(data)}, "0" * 36, str)
    assert sent.payload.type == "adhoc"  # type: ignore[union-attr]


def test_every_folder_that_it_names_is_there() -> None:
    root = Path(__file__).parents[1]
    for folder in re.findall(r"`((?:schemas|workflows|activities|starter|sandbox)/[a-z/]*)`", README):
        assert (root / folder).is_dir(), folder
