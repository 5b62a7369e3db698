"""Nothing fetches an address that came from data: only the configured providers, Postgres and Temporal are spoken to."""

import ast
import re
import socket
from contextlib import suppress
from urllib.parse import urlsplit

from tests.hostile.conftest import Week
from tests.hostile.network import overheard
from tests.test_architecture import modules, name, parsed

# Who may make what speaks to the network: the composition roots, the brands' adapters, and the tools of a developer.
CLIENTS = {
    "ClientSession": {
        *("worker.py", "starter/web/app.py", "starter/checks.py", "starter/contact.py", "starter/cli/calendars.py"),
        *("starter/cli/sandbox_server.py", "starter/dev/diary.py", "starter/dev/stack.py", "bench/scenarios.py"),
        "sandbox/google/push.py",
        # Tenants' endpoints, each address looked at; and a key of a recorder that is tried by who connects it.
        *("activities/providers/guarded.py", "starter/cli/gong.py", "starter/cli/channels.py", "sandbox/gong/rule.py"),
    },
    "AsyncClient": {"activities/providers/anthropic.py"},
    "AsyncAnthropic": {"activities/providers/anthropic.py"},
    "AsyncHTTPTransport": {"activities/providers/anthropic.py"},
    "Http": {"activities/providers/google.py"},
    "HTTPConnection": set(),
    "HTTPSConnection": set(),
    "SMTP": {"activities/providers/smtp.py"},
    "open_connection": {"starter/dev/parts.py", "sandbox/google/push.py"},
    "create_connection": set(),
    "urlopen": set(),
    "Client.connect": {"starter/environment.py", "starter/dev/stack.py", "bench/servers.py"},
}
# Modules that fetch by themselves have no business here.
FETCHERS = {"requests", "urllib.request", "httpx", "urllib3", "ftplib", "telnetlib", "xmlrpc", "webbrowser"}


def test_a_hostile_week_spoke_to_nobody_else(week: Week) -> None:
    sandbox = week.sandbox
    assert week.spoken.connected <= {
        ("127.0.0.1", urlsplit(sandbox.url).port),
        ("127.0.0.1", sandbox.smtp_port),
        *(one for one in week.spoken.connected if isinstance(one, str) and re.search(r"/\.s\.PGSQL\.\d+$", one)),
    }
    assert week.spoken.looked_up <= {"127.0.0.1"}
    assert len(week.spoken.connected) >= 3, "the providers, mail and Postgres"


def test_whoever_spoke_to_somebody_else_would_be_heard() -> None:
    with overheard() as spoken, socket.socket() as probe, suppress(OSError):
        probe.settimeout(0.01)
        probe.connect(("127.0.0.1", 9))
    with overheard() as named, suppress(OSError):
        socket.getaddrinfo("owned.invalid", 80)
    assert spoken.connected == {("127.0.0.1", 9)}
    assert named.looked_up == {"owned.invalid"}


def test_what_speaks_to_the_network_is_made_in_known_places() -> None:
    made: dict[str, set[str]] = {kind: set() for kind in CLIENTS}
    for path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                for kind in CLIENTS:
                    if called == kind or called.endswith(f".{kind}"):
                        made[kind].add(name(path))
    assert {kind: places - CLIENTS[kind] for kind, places in made.items() if places - CLIENTS[kind]} == {}
    assert made["ClientSession"], "they have another name now, and this test looks at nothing"


def test_nothing_that_fetches_by_itself_is_imported() -> None:
    imported = {
        (name(path), found)
        for path in modules()
        for node in ast.walk(parsed(path))
        for found in _imported(node)
        if found in FETCHERS or found.partition(".")[0] in FETCHERS
    }
    assert imported == set()


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def test_no_redirect_is_followed_where_data_could_lead_us() -> None:
    """Each call of a provider says so, or goes by a client that was made so."""
    for path in modules():
        if name(path) == "activities/providers/perplexity.py":
            posts = [
                node
                for node in ast.walk(parsed(path))
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("_session.post")
            ]
            assert posts
            assert all("allow_redirects=False" in ast.unparse(post) for post in posts)
        if name(path) == "activities/providers/anthropic.py":
            assert "follow_redirects=False" in ast.unparse(parsed(path))
