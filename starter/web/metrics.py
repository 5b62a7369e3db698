"""What is counted, for Prometheus: routes and statuses, never an id, an address or a name."""

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters of one app, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "greenroom_web_requests", "Requests answered.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "greenroom_web_seconds", "Seconds to an answer.", ["route"], buckets=BUCKETS, registry=self.registry
        )
        self.shown = Counter("greenroom_web_briefs_shown", "Briefs shown.", registry=self.registry)
        self.notifications = Counter(
            "greenroom_web_notifications", "Notifications of calendars.", ["outcome"], registry=self.registry
        )
        self.events = Counter(
            "greenroom_web_events",
            "Events taken, and what was sent otherwise.",
            ["outcome"],
            registry=self.registry,
        )
        self.calls = Counter(
            "greenroom_web_calls", "Notifications of recorded calls.", ["outcome"], registry=self.registry
        )
        self.marks = Counter(
            "greenroom_web_marks",
            "What members said of claims; none takes it back.",
            ["verdict"],
            registry=self.registry,
        )
        self.refused = Counter("greenroom_web_links_refused", "Links refused.", ["reason"], registry=self.registry)

    def answered(self, route: str, status: int, seconds: float) -> None:
        self.requests.labels(route, status).inc()
        self.seconds.labels(route).observe(seconds)

    async def handle(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE})
