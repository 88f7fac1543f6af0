"""Who evaluates: workers on Ray, wherever they are, and what becomes of evaluations when these fail.

Nothing is imported here: what a search asks of its workers (:mod:`~explorer.workers.wanted`) is read without Ray.
"""

import os

# Read by Ray when it is imported. What becomes of workers and nodes is told by evaluations, with the reason; Ray's own
# pages about each would stand in the middle of a search's display.
os.environ.setdefault(
    "RAY_DEDUP_LOGS_SKIP_REGEX", "^(A worker died or was killed while|Raylet is terminated|The node with node id)"
)
