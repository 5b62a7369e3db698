"""Come here for a Gong that records invented calls, serves them by its API, and tells of them by a signed webhook.

Its one key is `sandbox-access-key`, with the secret `sandbox-access-secret`. Nothing has been recorded until a call is
made to happen; what has is forgotten when the sandbox ends.

    client ─▶ front ─▶ orders: strict ─▶ memory ─▶ recordings
    test, CLI ─▶ control, memory.happen ─▶ rule: signed ─▶ the client's own address
"""

from sandbox.gong.front import Gong
from sandbox.gong.memory import ACCESS_KEY, ACCESS_SECRET, Memory

__all__ = ["ACCESS_KEY", "ACCESS_SECRET", "Gong", "Memory"]
