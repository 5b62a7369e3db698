"""Come here when you need the world to answer without the world.

One server speaks the wire formats of the providers and keeps the mail it is sent. Everybody in it is fictional. It can
be told to misbehave (`faults`), and it writes down every call (`journal`), so it is also the witness in tests and
benchmarks.

    client ─▶ server ─▶ journal ─▶ faults ─▶ delay ─▶ brand (perplexity, anthropic) ─▶ world
                                                        ├ google, with a memory and push
                                                        └ mail, over SMTP

It stands in for other people's servers, so it imports nothing of ours. A new brand is one module and one line in
`server.brands`.
"""

from sandbox.server import Sandbox, build_app, running

__all__ = ["Sandbox", "build_app", "running"]
