"""Come here to see the worker killed: at every call and transaction of a brief, before and after it.

shape ─▶ a run without a kill counts the points ─▶ a run for each: killed there, an heir takes over ─▶ invariants
"""
