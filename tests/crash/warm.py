"""What the process that forks workers does beforehand, so that each is at work in a fraction of a second."""

from temporalio.worker._worker import load_default_build_id

import tests.crash.doomed_worker  # noqa: F401 - imported here once for all

# The SDK hashes all loaded code to name a worker's build: most of the start of a worker, and the same for all.
load_default_build_id()
