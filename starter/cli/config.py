"""greenroom config: what is set, and where each value came from. Secrets are never shown."""

import json as encoder
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import typer
from dotenv import dotenv_values
from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo

from schemas.settings import STACK_FILE, Settings
from starter.cli.options import Json, cell, put_json, put_table, table
from starter.environment import DEFAULT_TEMPORAL, load_settings

app = typer.Typer(help="What is configured, and where it came from.", no_args_is_help=True)

MASK = "********"
DEFAULT = "default"

# The standard variables of Temporal's clients that say where it is and who we are; their library reads more.
TEMPORAL = {
    "TEMPORAL_ADDRESS": DEFAULT_TEMPORAL,
    "TEMPORAL_NAMESPACE": "default",
    "TEMPORAL_PROFILE": "",
    "TEMPORAL_CONFIG_FILE": "",
    "TEMPORAL_API_KEY": "",
    "TEMPORAL_TLS": "",
}


class Setting(BaseModel):
    """One variable: its value as it may be shown, and its origin."""

    name: str
    value: str
    secret: bool
    origin: str


@app.command()
def show(json: Json = False) -> None:
    """Show every setting with its origin: the environment, .env, the development stack's file, or its default."""
    shown = list(settings(load_settings(), origins()))
    if json:
        put_json(shown)
        return
    rows = table("setting", "value", "from")
    for one in shown:
        dim = "dim" if one.origin == DEFAULT else ""
        rows.add_row(cell(one.name, dim), cell(one.value or "(not set)", dim), cell(one.origin, dim))
    put_table(rows)


def origins() -> dict[str, Mapping[str, str | None]]:
    """Everywhere a value can come from, strongest first, with names in capitals, as settings read them."""
    files = {path: dotenv_values(path) if Path(path).exists() else {} for path in (".env", str(STACK_FILE))}
    places: dict[str, Mapping[str, str | None]] = {"environment": os.environ, **files}
    return {place: {name.upper(): value for name, value in values.items()} for place, values in places.items()}


def settings(known: Settings, places: Mapping[str, Mapping[str, str | None]]) -> Iterator[Setting]:
    """Every setting of ours, then Temporal's."""
    for field, info in type(known).model_fields.items():
        names = variables(field, info)
        value = getattr(known, field)
        yield Setting(
            name=names[0], value=shown(value), secret=isinstance(value, SecretStr), origin=_origin(names, places)
        )
    for name, default in TEMPORAL.items():
        origin = _origin([name], places)
        value = default if origin == DEFAULT else places[origin][name] or ""
        secret = name.endswith("_KEY")
        yield Setting(name=name, value=shown(SecretStr(value) if secret else value), secret=secret, origin=origin)


def variables(field: str, info: FieldInfo) -> list[str]:
    """The names a setting goes by in the environment."""
    if isinstance(info.validation_alias, AliasChoices):
        return [str(choice).upper() for choice in info.validation_alias.choices]
    return [f"{Settings.model_config.get('env_prefix', '')}{field}".upper()]


def shown(value: object) -> str:
    """A value as it may be seen by whoever looks over a shoulder."""
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if isinstance(value, BaseModel):
        return encoder.dumps(value.model_dump(mode="json"))
    if isinstance(value, dict):
        return encoder.dumps({name: one.model_dump(mode="json", exclude_defaults=True) for name, one in value.items()})
    if isinstance(value, bool):
        return str(value).lower()
    return masked(str(value))


def masked(text: str) -> str:
    """An address without its password, wherever it stands in it; any other text as it is."""
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return MASK
    user, colon, _ = parts.netloc.rpartition("@")[0].partition(":")
    place = parts.netloc.rpartition("@")[2]
    netloc = f"{user}:{MASK}@{place}" if colon else parts.netloc
    return urlunsplit(parts._replace(netloc=netloc, query=_masked_query(parts.query)))


def _masked_query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(_secret(name) for name, _ in pairs):
        return query
    return urlencode([(name, MASK if _secret(name) else value) for name, value in pairs], safe="/*")


def _secret(name: str) -> bool:
    return any(word in name.lower() for word in ("pass", "secret", "token", "key"))


def _origin(names: list[str], places: Mapping[str, Mapping[str, str | None]]) -> str:
    return next((place for place, values in places.items() if any(name in values for name in names)), DEFAULT)
