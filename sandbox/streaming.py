"""An answer as server-sent events: what was written goes out a few words at a time.

message ─▶ start ─▶ each block, in pieces ─▶ why it stopped ─▶ end
"""

import json
from collections.abc import Iterator
from typing import Any

HEADERS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
# About a line of a narrow page.
PIECE = 40

# How a stream can end badly, when HTTP has said 200 already.
TRICKS = frozenset({"overloaded_midstream", "early_end", "no_stop_reason", "broken_tool_json", "pings"})

Block = dict[str, Any]


def body(message: dict[str, Any], trick: str | None) -> bytes:
    """All events; where one ends the next begins, so that whoever sends them can take his time between them."""
    sent = list(_events(message, trick))
    if trick == "early_end":
        sent = sent[: len(sent) // 2]
    if trick == "overloaded_midstream":
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        sent = [*sent[: len(sent) // 2], error]
    return b"".join(_sent(event) for event in sent)


def _events(message: dict[str, Any], trick: str | None) -> Iterator[dict[str, Any]]:
    usage = message["usage"]
    began = usage and {**usage, "output_tokens": 1}
    yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None, "usage": began}}
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        for event in _block(block, trick):
            yield {**event, "index": index}
            if trick == "pings":
                yield {"type": "ping"}
    stopped = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    if trick == "no_stop_reason":
        stopped["stop_reason"] = None
    yield {"type": "message_delta", "delta": stopped, "usage": usage and {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


def _block(block: Block, trick: str | None) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        empty: Block = {"text": ""}
        kind, pieces = ("text_delta", "text"), _pieces(block["text"])
    else:
        said, empty = json.dumps(block["input"]), {"input": {}}
        kind, pieces = ("input_json_delta", "partial_json"), [said[:7], said[7:]]
        if trick == "broken_tool_json":
            pieces = ['{"a": ']
    yield {"type": "content_block_start", "content_block": {**block, **empty}}
    for piece in pieces:
        yield {"type": "content_block_delta", "delta": {"type": kind[0], kind[1]: piece}}
    yield {"type": "content_block_stop"}


def _pieces(text: str) -> list[str]:
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]


def _sent(event: dict[str, Any]) -> bytes:
    said = json.dumps(event, ensure_ascii=False)
    return f"event: {event['type']}\ndata: {said}\n\n".encode(errors="replace")
