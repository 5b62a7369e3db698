"""What Perplexity's Agent API accepts, to the field, and whom our client asks about in it."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sandbox.brand import Call, Json, RefusedError
from sandbox.world import AboutCompany, AboutPerson

MODELS = ("perplexity/sonar", "anthropic/claude-sonnet-5-5", "openai/gpt-5.4")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Turn(Strict):
    role: Literal["system", "user", "assistant", "developer"]
    content: str
    type: Literal["message"] = "message"


class Filters(Strict):
    search_domain_filter: list[str] | None = Field(None, max_length=20)
    search_recency_filter: Literal["hour", "day", "week", "month", "year"] | None = None
    search_after_date_filter: str | None = None
    search_before_date_filter: str | None = None
    last_updated_after_filter: str | None = None
    last_updated_before_filter: str | None = None


class Place(Strict):
    city: str | None = None
    country: str | None = None
    region: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class WebSearch(Strict):
    type: Literal["web_search"]
    search_context_size: Literal["low", "medium", "high"] | None = None
    search_type: Literal["web", "fast"] | None = None
    filters: Filters | None = None
    user_location: Place | None = None
    max_tokens: int | None = None
    max_tokens_per_page: int | None = None


class Choice(Strict):
    type: Literal["web_search"]


class JsonSchema(Strict):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None
    description: str | None = None


class Format(Strict):
    type: Literal["json_schema"]
    json_schema: JsonSchema


class Request(Strict):
    """What the endpoint accepts. Tools of other kinds are not pretended here."""

    model: str
    input: str | list[Turn]
    tools: list[WebSearch] = []
    tool_choice: Choice | Literal["auto", "none", "required"] | None = None
    response_format: Format | None = None
    max_output_tokens: int | None = Field(None, ge=16)
    max_steps: int | None = Field(None, ge=1, le=100)
    temperature: float | None = None
    top_p: float | None = None
    instructions: str | None = None
    language_preference: str | None = None
    prompt_cache_key: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    stream: Literal[False] = False

    def text(self) -> str:
        return self.input if isinstance(self.input, str) else "\n".join(turn.content for turn in self.input)


Subject = Annotated[AboutPerson | AboutCompany, Field(discriminator="kind")]
SUBJECT: TypeAdapter[AboutPerson | AboutCompany] = TypeAdapter(Subject)


def parsed(call: Call) -> Request:
    document = call.document()
    try:
        request = Request.model_validate(document)
    except ValidationError as error:
        # A union reports one error for each of its types; the one that got furthest knows best.
        first = max(error.errors(), key=lambda each: len(each["loc"]))
        param = _param(document, first["loc"], missing=first["type"] == "missing")
        raise RefusedError(400, f"Invalid request: {param}: {first['msg']}", param) from None
    if request.model not in MODELS:
        raise RefusedError(400, f"model is not supported: {request.model}", "model")
    return request


def _param(document: Json, place: tuple[int | str, ...], *, missing: bool) -> str:
    """The field's path as the client wrote it, without the names of the types tried."""
    steps: list[str] = []
    for depth, step in enumerate(place, 1):
        inside = isinstance(document, dict) and step in document
        inside = inside or (isinstance(document, list) and isinstance(step, int))
        if inside:
            document = document[step]
        if inside or (missing and depth == len(place)):
            steps.append(str(step))
    return ".".join(steps)


def subject_of(request: Request) -> AboutPerson | AboutCompany:
    blocks = re.findall(r"<subject>(.*?)</subject>", request.text(), re.DOTALL)
    if len(blocks) != 1:
        raise RefusedError(
            400, f"The sandbox needs exactly one <subject>{{json}}</subject> block, not {len(blocks)}.", "input"
        )
    try:
        return SUBJECT.validate_json(blocks[0])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RefusedError(400, f"The sandbox cannot read the <subject>: {where} {first['msg']}", "input") from None
