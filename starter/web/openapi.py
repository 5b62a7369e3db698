"""The app described for programs, OpenAPI 3.1: kept by hand beside the routes, and held to them by a test."""

from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

DESCRIPTION: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


async def handle(_request: web.Request) -> web.Response:
    return web.json_response(DESCRIPTION)
