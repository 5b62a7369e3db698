"""events.watch and channels.stop: where changes are to be told, and for how long."""

import asyncio
import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from yarl import URL

from sandbox.brand import Call, RefusedError
from sandbox.google.errors import ApiError, invalid
from sandbox.google.knobs import Knobs
from sandbox.google.loopback import on_loopback
from sandbox.google.push import Push
from sandbox.google.state import Account, Channel
from sandbox.google.store import Store

LONGEST_ID, LONGEST_TOKEN, LONGEST_ADDRESS = 64, 256, 2048
ID = re.compile(r"[A-Za-z0-9\-_+/=]+")
KNOWN = {"address", "expiration", "id", "kind", "params", "payload", "resourceId", "resourceUri", "token", "type"}
FURTHEST = 10**12

Resource = dict[str, Any]


class Channels:
    """Opens and stops channels. An id is used once, for ever."""

    def __init__(self, store: Store, knobs: Knobs, push: Push) -> None:
        self._store = store
        self._knobs = knobs
        self._push = push

    def watch(self, account: Account, call: Call) -> tuple[Resource, asyncio.Event | None]:
        """The new channel, and the event that its first message has been tried."""
        wanted = _object(call)
        _check(wanted)
        if wanted["id"] in self._store.state.channels:
            raise ApiError(400, "channelIdNotUnique", f"Channel id {wanted['id']} not unique", "id", "other")
        channel = self._made(account, call, wanted)
        self._store.state.channels[channel.id] = channel
        return _shown(channel), self._push.welcome(channel)

    def stop(self, account: Account, call: Call) -> None:
        wanted = _object(call)
        for name in ("id", "resourceId"):
            if not isinstance(wanted.get(name), str) or not wanted[name]:
                raise ApiError(400, "required", f"Required parameter: {name}", name, "other")
        channel = self._store.state.channels.get(wanted["id"])
        ours = channel is not None and (channel.email, channel.resource_id) == (account.email, wanted["resourceId"])
        if channel is None or not ours or not self._store.live(channel):
            raise ApiError(404, "notFound", f"Channel '{wanted['id']:.64}' not found for project 'sandbox'")
        channel.stopped = True

    def _made(self, account: Account, call: Call, wanted: Resource) -> Channel:
        path = f"/google/calendar/v3/calendars/{account.email}/events?alt=json"
        return Channel(
            id=wanted["id"],
            email=account.email,
            address=wanted["address"],
            token=wanted.get("token"),
            resource_id=hashlib.sha256(f"{self._store.state.secret} {account.email}".encode()).hexdigest()[:27],
            resource_uri=f"http://{call.headers.get('host', '127.0.0.1')}{path}",
            expires=self._expiry(wanted),
        )

    def _expiry(self, wanted: Resource) -> datetime:
        """The earliest of what was asked for and what is allowed, to the second."""
        now = self._store.now().replace(microsecond=0)
        limits = [now + timedelta(seconds=self._knobs.channel_seconds)]
        ttl = (wanted.get("params") or {}).get("ttl")
        if ttl is not None:
            limits.append(now + timedelta(seconds=_whole("params.ttl", ttl)))
        if wanted.get("expiration") is not None:
            moment = datetime.fromtimestamp(_whole("expiration", wanted["expiration"]) / 1000, UTC)
            limits.append(moment.replace(microsecond=0))
        if min(limits) <= now:
            raise invalid("expiration", wanted.get("expiration"), "other")
        return min(limits)


def _object(call: Call) -> Resource:
    try:
        document = call.document()
    except RefusedError:
        raise ApiError(400, "parseError") from None
    if not isinstance(document, dict):
        raise ApiError(400, "parseError")
    return document


def _check(wanted: Resource) -> None:
    """Raise for what no channel can be made of."""
    for name in ("id", "type", "address"):
        if not isinstance(wanted.get(name), str) or not wanted[name]:
            raise ApiError(400, "required", f"entity.{name}: Required parameter", f"entity.{name}", "other")
    if strange := set(wanted) - KNOWN:
        raise ApiError(400, "badRequest", f"Unknown name {min(strange)!r:.60}", min(strange), "other")
    if not ID.fullmatch(wanted["id"]) or len(wanted["id"]) > LONGEST_ID:
        raise ApiError(400, "push.channelIdInvalid", f"Channel id must match {ID.pattern}, 64 at most", "id", "other")
    if wanted["type"] not in {"web_hook", "webhook"}:
        raise ApiError(
            400, "push.channelTypeNotSupported", f"Channel type {wanted['type']!r:.40} not supported", "type"
        )
    _check_address(wanted["address"])
    _check_token(wanted.get("token"))
    params = wanted.get("params")
    if params is not None and not isinstance(params, dict):
        raise invalid("params", params, "other")


def _check_address(address: str) -> None:
    try:
        url = URL(address)
    except ValueError:
        url = URL()
    if len(address) > LONGEST_ADDRESS or url.scheme not in {"http", "https"} or not url.host:
        message = f"WebHook callback must be an address such as https://host/path: {address:.80}"
        raise ApiError(400, "push.webhookUrlNoHostOrAddress", message, "address", "other")
    if not on_loopback(url):
        message = f"Unauthorized WebHook callback channel: {address:.80} (the sandbox calls nobody but this machine)"
        raise ApiError(400, "push.webhookUrlUnauthorized", message, "address", "other")


def _check_token(token: object) -> None:
    if token is None:
        return
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN or not token.isprintable():
        raise ApiError(400, "push.channelTokenInvalid", "Channel token must be text of 256 characters at most", "token")


def _whole(name: str, value: object) -> int:
    """int64 in Google's JSON: a number, or one in quotes."""
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 16):
        raise invalid(name, value, "other")
    if int(text) > FURTHEST * (1000 if name == "expiration" else 1) // 100:
        raise invalid(name, value, "other")
    return int(text)


def _shown(channel: Channel) -> Resource:
    said = {
        "kind": "api#channel",
        "id": channel.id,
        "resourceId": channel.resource_id,
        "resourceUri": channel.resource_uri,
        "expiration": str(int(channel.expires.timestamp() * 1000)),
    }
    return said if channel.token is None else said | {"token": channel.token}
