"""Come here for a Google that asks for consent, keeps calendars and tells of changes.

Unlike the other brands it has a memory: one `State`, which can be kept in a file. What the real hosts serve stands below
one prefix: accounts.google.com and oauth2.googleapis.com at its root, www.googleapis.com under /calendar/v3. Its one client
is `sandbox-client`, with the secret `sandbox`.

    client ─▶ front ─▶ consent, oauth ─▶ store
                    └▶ listing ─▶ items ─▶ render
                    └▶ channels ─▶ push ─▶ the client's own address
    test, CLI ─▶ backstage ─▶ calendar ─▶ store, push
"""

from sandbox.google.backstage import Backstage
from sandbox.google.front import Google

__all__ = ["Backstage", "Google"]
