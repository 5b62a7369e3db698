"""Come here for the pages and webhooks: one aiohttp app. `app` joins it, `guard` stands around it, `pages` are in it."""

from starter.web.app import build_app, serve

__all__ = ["build_app", "serve"]
