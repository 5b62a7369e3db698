"""Come here to learn what durability costs: `make bench`.

The same briefs twice in one run, in turns: durable, by the worker as production runs it, and plain, by an asyncio script
that does the same calls, checks and writes and forgets everything when it dies. Plain is the limit that durable is held
against; the ratio of the two survives a slow or busy machine, the figures beside it do not.

    scenarios ─▶ load ─▶ durable │ plain ─▶ sandbox, whose journal says how long the providers themselves took
                  └▶ cpu, history ─▶ figures ─▶ table, JSON

Every server is the bench's own, on loopback and in a temporary folder, and ends with it.
"""
