"""Come here to see the worker killed: at every call and transaction of a brief, before and after it; and of what leads
to one and follows it: the renewal of a channel, the reading of a calendar, the delivery of a mail.

shape   ─▶ a run without a kill counts the points ─▶ a run for each: killed there, an heir takes over ─▶ invariants
weather ─▶ a story without a kill ...             ─▶ a story for each: prepared, begun, struck        ─▶ complaints
"""
