"""Events as other applications hear of them: one POST each, signed as the Standard Webhooks have it."""

import json
from datetime import UTC, datetime

from standardwebhooks import Webhook

from activities.deliveries import Answered, Due
from activities.providers.guarded import Guarded

# What an operator reads of it: never its address, which may hold a secret of theirs.
WHOM = "the endpoint"


class SignedWebhooks:
    """The Webhooks of the worker. `sandbox` says in each that what it tells of is pretended."""

    def __init__(self, client: Guarded, *, sandbox: bool) -> None:
        self._client = client
        self._sandbox = sandbox

    async def post(self, due: Due) -> Answered:
        said = body(due, sandbox=self._sandbox)
        headers = {"content-type": "application/json", **signed(due, said, datetime.now(UTC))}
        answer = await self._client.ask(WHOM, "POST", due.url, headers, said.encode())
        return Answered(answer.status, answer.headers.get("Retry-After", ""))


def body(due: Due, *, sandbox: bool) -> str:
    said = {
        "id": due.event_id,
        "type": due.name,
        "timestamp": due.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "sequence": due.sequence,
        "data": due.payload,
    }
    return json.dumps({**said, "sandbox": True} if sandbox else said, ensure_ascii=False, separators=(",", ":"))


def signed(due: Due, said: str, at: datetime) -> dict[str, str]:
    """The machine's own time, against the rule of the house: the receiver holds it against their clock, to the minute."""
    return {
        "webhook-id": due.event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(due.secret).sign(due.event_id, at, said),
    }
