"""What every answer has in common: its headers, and one sentence when there is nothing better to say."""

from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from starter.show.page import notice

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
    # Otherwise aiohttp tells its version and Python's.
    "Server": "greenroom",
}

SENTENCES: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: "That request could not be read.",
    HTTPStatus.NOT_FOUND: "There is nothing here, or this link does not open it. Ask whoever sent it for a new one.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This page can be read, and nothing else.",
    HTTPStatus.REQUEST_TIMEOUT: "That took too long to arrive. Try again.",
    HTTPStatus.GONE: "This link has expired. Ask whoever sent it for a new one.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is more than this page takes.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong on our side. It has been noted; try again in a minute.",
    HTTPStatus.SERVICE_UNAVAILABLE: "This page cannot be shown right now. Try again in a minute.",
}

TITLES: Mapping[int, str] = {
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.GONE: "Link expired",
    HTTPStatus.SERVICE_UNAVAILABLE: "Back in a minute",
}


def plain(request: web.BaseRequest, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """One sentence with its status: a page, or JSON for who asks for that."""
    sentence = SENTENCES.get(status) or f"{HTTPStatus(status).phrase}."
    more = {"Vary": "Accept"} | dict(headers or {})
    if "application/json" in request.headers.get("Accept", ""):
        return web.json_response({"error": sentence}, status=status, headers=more)
    title = TITLES.get(status) or HTTPStatus(status).phrase
    return web.Response(text=notice(title, sentence), status=status, content_type="text/html", headers=more)
