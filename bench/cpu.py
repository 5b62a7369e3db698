"""What processes cost: their CPU time, that of their children, and that of children already gone."""

import psutil

# Not "guest": Linux counts it as the host's user time already.
WORK = ("user", "nice", "system", "irq", "softirq", "steal")


def tree_s(pid: int) -> float:
    """CPU seconds of a process and all below it, ever. A child that ends meanwhile is counted once."""
    root = psutil.Process(pid)
    while True:
        children = root.children(recursive=True)
        try:
            total = sum(_spent_s(process) for process in (root, *children))
        except psutil.NoSuchProcess:
            if not root.is_running():
                raise
            continue
        if root.children(recursive=True) == children:
            return total


def own_s() -> float:
    """CPU seconds of this process alone: the servers are its children and are counted by themselves."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)


def machine_busy_s() -> float:
    """CPU seconds that all cores together have worked, for anybody."""
    times = psutil.cpu_times()._asdict()
    return sum(float(times.get(name, 0.0)) for name in WORK)


def _spent_s(process: psutil.Process) -> float:
    """A process's own time and that of the children it has buried: Postgres's short-lived backends."""
    times = process.cpu_times()
    buried = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return float(times.user + times.system + buried)
