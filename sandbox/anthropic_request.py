"""What is asked of Anthropic's Messages API, and why it would refuse it. Stricter than the real one: a field it does not
know is a 400 that names it.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox import skilled
from sandbox.brand import Call, RefusedError
from sandbox.schema import unsupported

GONE = ("temperature", "top_p", "top_k")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Turn(Strict):
    role: Literal["user", "assistant"]
    content: str | list[dict[str, Any]]

    def text(self) -> str:
        return joined(self.content)


class Format(Strict):
    type: Literal["json_schema"]
    schema_: dict[str, Any] = Field(alias="schema")


class OutputConfig(Strict):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: Format | None = None


class Tool(Strict):
    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")
    description: str = ""
    input_schema: dict[str, Any]
    cache_control: dict[str, Any] | None = None
    strict: bool | None = None


class Choice(Strict):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Request(Strict):
    """The fields that `messages.create` can send; those we do not pretend are accepted and have no effect."""

    model: str
    max_tokens: int = Field(ge=1)
    messages: list[Turn] = Field(min_length=1)
    system: str | list[dict[str, Any]] = ""
    output_config: OutputConfig | None = None
    stream: bool = False
    tools: list[Tool] = []
    tool_choice: Choice | None = None
    metadata: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    cache_control: dict[str, Any] | None = None
    stop_sequences: list[str] = []
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None

    @property
    def schema_wanted(self) -> dict[str, Any] | None:
        wanted = self.output_config.format if self.output_config else None
        return wanted.schema_ if wanted else None

    def text(self) -> str:
        return "\n".join(turn.text() for turn in self.messages if turn.role == "user")

    def talk(self) -> skilled.Talk | None:
        turns = [
            [{"type": "text", "text": one.content}] if isinstance(one.content, str) else one.content
            for one in self.messages
        ]
        choice = self.tool_choice.type if self.tool_choice else "auto"
        return skilled.talk(joined(self.system), turns, [tool.model_dump() for tool in self.tools], choice)


def read(call: Call) -> Request:
    document = call.document()
    for field in GONE:
        if isinstance(document, dict) and field in document:
            raise RefusedError(400, f"{field}: this parameter is no longer accepted, at any value")
    try:
        request = Request.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise RefusedError(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return _served(request)


def _served(request: Request) -> Request:
    if not request.model.startswith("claude-"):
        raise RefusedError(404, f"model: {request.model}")
    if request.messages[-1].role == "assistant":
        raise RefusedError(400, "messages: this model does not support prefilling the assistant's answer")
    if loose := _loose(request):
        raise RefusedError(400, f"messages: {loose}")
    if problem := unsupported(request.schema_wanted):
        raise RefusedError(400, f"output_config.format.schema: {problem}")
    return request


def _loose(request: Request) -> str:
    """Why the tools in a conversation do not fit together, if they do not."""
    blocks = [[] if isinstance(turn.content, str) else turn.content for turn in request.messages]
    if not request.tools and any(block.get("type", "").startswith("tool_") for turn in blocks for block in turn):
        return "requests which include `tool_use` or `tool_result` blocks must define tools"
    for turn, after in zip(blocks, [*blocks[1:], []], strict=True):
        asked = {block.get("id") for block in turn if block.get("type") == "tool_use"}
        told = {block.get("tool_use_id") for block in after if block.get("type") == "tool_result"}
        if asked != told:
            return "each `tool_use` must have its `tool_result` in the next message, and nothing else one"
    return ""


def joined(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "\n".join(str(block.get("text", "")) for block in content)
