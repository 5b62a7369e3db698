"""How long a morning's digests wait, and how often they try again.

| what is waited for   | tries | between them         | one try at most | in all |
|----------------------|-------|----------------------|-----------------|--------|
| news, of each topic  | 6     | 2, 4, 8, 16, 32 s    | 20 s of calling |        |
| the script           | 6     | 2, 4 s ...; 429: 30 s | 60 s of calling |        |
| ... asked anew       | 3     | none                 |                 |        |
| one piece spoken     | 8     | 2, 4 s ... 2 min     | 240 s of calling | 6 h    |
| joined and stored    | 8     | 2, 4 s ... 2 min     | 30 min          | ... of it |

A morning's news is of no use the next day: what is not done by then is given up, and says so.
"""

from datetime import timedelta

from temporalio.common import RetryPolicy

from workflows import queues
from workflows.policies import A_TURN_AND_A_CALL, ShortStep, step

# S2-3: `0 6 * * *` UTC. Not every installation at the same second.
AT = "0 6 * * *"
EVERY = timedelta(days=1)
JITTER = timedelta(minutes=2)

# So many users are looked at in one history; of them so many have their digest made at once, side by side.
A_PAGE = 100
AT_ONCE = 20
# ... for so long at most is one of them waited for: a slow one is left to itself, and holds up nobody behind it.
WAITED_FOR = timedelta(minutes=10)

# Beyond the waiting for its morning: a digest that takes longer than this is yesterday's.
LONGEST = timedelta(hours=20)
# A queue of those who wait to be spoken may be long; then the written digest is delivered, while it is still today's.
SPEAKING = timedelta(hours=6)

# Pieces of one digest that are spoken at once; the seats of their provider are fewer, and others want some too.
PIECES_AT_ONCE = 3

# What is paid for is written down in the end, for the minutes that an absent Postgres may take to come back.
SAVE = ShortStep(
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=20
    ),
)

NEWS = step(queues.NEWS, A_TURN_AND_A_CALL, first_s=2, tries=6)

SCRIPT = step(queues.MODEL, A_TURN_AND_A_CALL, first_s=2, tries=6)

# A piece that came back too short is such a try too, and so is a store that is away.
SPEAK = step(queues.AUDIO, A_TURN_AND_A_CALL, first_s=2, tries=8, longest=timedelta(minutes=2))

# A load has a call for every 250 bills that have changed, each in its turn; the next one begins where this one ends.
LOAD_BILLS = step(queues.NEWS, timedelta(hours=1), first_s=5, tries=4)

PUBLISH = step(queues.AUDIO, timedelta(minutes=30), first_s=2, tries=8, longest=timedelta(minutes=2))
