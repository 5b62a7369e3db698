"""How long we wait, and how often we try again. The whole failure policy is this page.

| what is waited for | tries   | between them          | one try at most | in all       |
|--------------------|---------|-----------------------|-----------------|--------------|
| the database       | 3       | 1 s, 2 s              | 20 s            |              |
| a look-up          | 4       | 1, 2, 4 s; 429: 60 s  | 60 s of calling | 225 s window |
| the model          | 3 a ask | 2 s, 2 s; 429: 30 s   | 60 s of calling | 75 s window  |
| the brief          | 3 asks  | none                  |                 | 300 s        |
| a calendar         | 4       | 1, 2, 4 s; or as told | 20 s a page     | 60 s a run   |
| a push channel     | 3       | 5 s, 5 s; or as told  | 20 s a call     | 180 s        |
| a mail server      | 3       | 5 s, 5 s              | 10 s            | 30 s         |
| ... patiently      | 5       | 1, 2, 4, 8 min        | 10 s            | 20 min       |
| an endpoint        | 5 noes  | 5, 10, 20 s ... 5 min | 15 s            | 3 days       |
| news, a script     | 6 each  | 2, 4, 8, 16, 32 s     | 60 s of calling |              |
| a piece spoken     | 8       | 2, 4 s ... 2 min      | 240 s of calling | 6 h a digest |
| joined and stored  | 8       | 2, 4 s ... 2 min      | 30 min          | ... of it    |
| a skill            | 4       | 5, 10, 20 s; or as told | its own       | 10 min       |
| its output, stored | 8       | 2, 4 s ... 2 min      | 2 min           | ... of it    |
| a file, read       | 3       | 2, 4 s                | its own         | 6 h          |
| its parts, vectors | 4       | 2, 4, 8 s; or as told | 60 s of calling | ... of it    |
| a redline, drawn   | 4       | 2, 4, 8 s             | its own         | ... of it    |
| a reference        | 4       | 2, 4, 8 s; or as told | its own         | 2 h          |

Retry counts are upper bounds and the window wins. Waiting for a turn is not counted. Four look-ups of 60 s with 1, 2 and 4 s between them would take
247 s, so the last is cut short after 225; three polite waits of 60 s leave 45 s for four calls. Three model calls of
60 s and two pauses of 2 s would take 184 s, so a slow model is cut after 75, and 225 + 75 = 300.
"""

from datetime import timedelta

from temporalio.common import RetryPolicy

from activities import freshness
from workflows import queues
from workflows.tries import HEARTBEAT as HEARTBEAT  # noqa: PLC0414 - these two are found here
from workflows.tries import ShortStep, step
from workflows.tries import Step as Step  # noqa: PLC0414

# S0: "total timeout 300 s", of which C0-9 keeps 75 s for writing.
TOTAL = timedelta(seconds=300)
WRITING_WINDOW = timedelta(seconds=75)
RESEARCH_WINDOW = TOTAL - WRITING_WINDOW

# A window that closes with nothing tried at all, because no worker was there, is opened this often again.
REOPENINGS = 1

# Looking again sooner than this whether somebody has had their time is of no use.
SHORTEST_WINDOW = timedelta(seconds=1)

# Behind a long queue, which no window counts, a run may last hours; this only ends what nobody will ever finish.
BACKSTOP = timedelta(days=1)
LONGEST_RUN = BACKSTOP / 2

# S0-2.10 and C0-5: two retries, after 1 s and 2 s. The store waits up to 15 s for an absent Postgres inside a try.
DATABASE = ShortStep(
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3),
)

# A status must be told in the end: this is tried until Postgres is back.
TELLING = ShortStep(
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
)

# One try may wait long for its turn, heartbeating; the client's own time-out ends a call (settings, 60 s).
A_TURN_AND_A_CALL = timedelta(hours=4)

# A step that ends with a silent worker is begun again this often: nobody refused it.
SILENCES = 3

# C0-3: three retries after 1, 2 and 4 s; a 429 says its own delay, at least 60 s (next_retry_delay).
LOOK_UP = step(queues.SEARCH, A_TURN_AND_A_CALL, first_s=1, tries=4)

# C0-4: two retries after 2 s each; a 429 says its own delay, at least 30 s.
WRITE = step(queues.MODEL, A_TURN_AND_A_CALL, first_s=2, coefficient=1, tries=3)

# C0-4: the first ask and at most two repairs, each told what was wrong with the last answer.
ASKS = 3

# A workflow task that dies with its worker is given to another after this. It must be longer than nothing: local
# activities that take longer than it keep it alive by themselves.
WORKFLOW_TASK = timedelta(seconds=5)

# A task for the worker that has the workflow in memory is left to it this long, then anybody may replay the history.
STICKY = timedelta(seconds=1)

# Notifications come in bursts: a calendar is read when there was quiet for this long, and at the latest after the cap.
QUIET = timedelta(seconds=2)
LONGEST_QUIET = timedelta(seconds=10)

# S0-1.9: a run reads pages for a minute and then the page it is at; what is left is the next run's.
READING = timedelta(seconds=60)

# S0-1.8: three retries, exponential. A try may wait for its turn, and has the minute for its pages.
READ_CALENDAR = step(queues.CALENDAR, timedelta(minutes=10), first_s=1, tries=4)

# S0-3.5: two retries, 5 s.
RENEW = step(queues.CALENDAR, timedelta(minutes=3), first_s=5, coefficient=1, tries=3)
RENEWAL = timedelta(seconds=180)

# Every 6 h the channels that end within 12 h are renewed (S0-3.2): a missed tick leaves another.
RENEWAL_EVERY = timedelta(hours=6)
RENEWAL_AHEAD = timedelta(hours=12)
# C0-8: with less than this left a failed renewal is told.
LAST_HOURS = timedelta(hours=6)
# Renewals of a sweep that are under way at once.
RENEWALS_AT_ONCE = 20

# A sweep over all tenants: it heartbeats, and begins anew when it is tried again; who was rung joins.
SWEEP = step(queues.CALENDAR, timedelta(minutes=15), first_s=5, tries=3, heartbeat=timedelta(seconds=30))

# S0-4.4: two retries, 5 s, 30 s in all.
SEND = step(queues.MAIL, timedelta(seconds=25), first_s=5, coefficient=1, tries=3)
NOTICE = timedelta(seconds=30)

# Whatever stays true is another matter: a server that knows us not yet puts us off for minutes (greylisting, 4xx), so
# a try that failed says itself how long it waits. One whose worker died is made again as soon as that is noticed.
SEND_PATIENTLY = step(queues.MAIL, timedelta(seconds=25), first_s=1, coefficient=1, tries=5)
PUT_OFF = timedelta(seconds=60)
PATIENT_NOTICE = timedelta(minutes=20)

# The research of a meeting within this is served before all others.
URGENT_WITHIN = timedelta(hours=24)

# A meeting is looked after from this long before it starts; the poll opens those that come nearer.
AHEAD = timedelta(days=30)

# C0-11: a failed or thin brief is tried again this long before the meeting. Within the first, a failure is told.
TRY_AGAIN = (timedelta(hours=24), timedelta(hours=4), timedelta(hours=1))
TELL_FAILURE = TRY_AGAIN[0]

# What is known of people and of companies is renewed before the brief goes out when it is older than this then (N1,
# N10); a company's news ages fastest, and stands for what is asked about it.
ROLE_SERVES = freshness.PERSON
NEWS_SERVES = freshness.NEWS
# ... and this long before: a run takes five minutes at most, and may have to wait for its turn.
RENEW_BRIEF_BEFORE = timedelta(minutes=15)

# What others have set aside is free again when their calls are paid, mostly within a minute: so often it is looked
# whether there is money for a run, before it is refused.
MONEY_COMES_BACK = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 20, 40, 60, 60, 60))

# A research that somebody else began is looked for again after this.
LOOK_AGAIN = timedelta(seconds=30)

# Whoever asked to be forgotten is forgotten in the end: it is tried until that is done.
ERASE = step(
    queues.WORKFLOWS, timedelta(hours=1), first_s=1, longest=timedelta(minutes=1), heartbeat=timedelta(seconds=30)
)

# What is too old is deleted once a day, at midnight UTC (S4); what one day leaves, the next does.
KEEP_EVERY = timedelta(days=1)
KEEP_AT = "0 0 * * *"
KEEP = step(queues.WORKFLOWS, timedelta(hours=2), first_s=10, tries=3, heartbeat=timedelta(seconds=30))

# S1-3: "automatic, 3x by default". A part of a long call takes a model a while; a 429 says its own delay.
READ_PART = step(queues.READING, A_TURN_AND_A_CALL, first_s=2, tries=4)

# Whoever records calls is asked for a transcript the same way.
FETCH_CALL = step(queues.CALLS, A_TURN_AND_A_CALL, first_s=2, tries=4)

# A recorder has a transcript some time after the call: it is asked again after each of these, for 24 h in all.
NOT_READY = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 240, 480, 495))
READY_WITHIN = sum(NOT_READY, timedelta())

# Beyond the waiting, this is what a call's reading may take; behind a longer queue it is given up, and says so.
LONGEST_CALL = timedelta(hours=36)

# S4-13: what is collected is inserted when there is so much of it, or when the first of it has waited so long. The
# row that makes it enough may bring it up to the most.
BATCH_ROWS = 100
BATCH_BYTES = 1 << 20
BATCH_MOST_BYTES = 10 << 20
BATCH_TIME = timedelta(seconds=10)

# So many rows a history hears of before another goes on.
BATCH_HEARD = 2000

# What happened is posted for a minute, and what is left then is the next step's. Whatever fails here is ours, and is
# tried until it is mended: an endpoint that does not take an event is an answer.
DELIVERING = timedelta(seconds=60)
DELIVER = step(queues.DELIVERY, timedelta(minutes=10), first_s=1, longest=timedelta(seconds=30))
# An endpoint that is away is tried again after each of these, and then after the last. It has three days to come back;
# an event that it does not want is asked so often.
DELIVERY_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 20, 40, 80, 160, 300))
DELIVERY_PATIENCE = timedelta(days=3)
DELIVERY_TRIES = 5

# A recorder is looked through page by page, each in its turn; what one sweep leaves, the next finds.
SWEEP_CALLS = step(queues.CALLS, timedelta(hours=1), first_s=5, tries=3)
# Recorders of a sweep that are looked through at once: fewer than a worker has slots, so that calls are fetched too.
RECORDERS_AT_ONCE = 5

# Rows are compared with their workflows so often (S3-10). What began within the grace is left to the next sweep; what was
# asked for so long ago has been begun, or nobody will; a meeting that starts within a day has somebody who looks after it.
RECONCILE_EVERY = timedelta(minutes=5)
RECONCILE_GRACE = timedelta(minutes=1)
REQUEST_GRACE = timedelta(minutes=10)
LIFE_WITHIN = URGENT_WITHIN
RECONCILE = step(queues.WORKFLOWS, timedelta(hours=1), first_s=5, tries=3, heartbeat=timedelta(seconds=30))

# An event is written down when what it asked for has begun: its mail names the application that sent it, and waits so long.
LETTER_AFTER = timedelta(seconds=1)

# S2-3: `0 6 * * *` UTC. Not every installation at the same second.
DIGESTS_AT = "0 6 * * *"
DIGESTS_EVERY = timedelta(days=1)
DIGESTS_JITTER = timedelta(minutes=2)

# So many users are looked at in one history; of them so many have their digest made at once, side by side.
DIGESTS_A_PAGE = 100
DIGESTS_AT_ONCE = 20
# ... for so long at most is one of them waited for: a slow one is left to itself, and holds up nobody behind it.
DIGEST_WAITED_FOR = timedelta(minutes=10)

# Beyond the waiting for its morning: a digest that takes longer than this is yesterday's.
LONGEST_DIGEST = timedelta(hours=20)
# A queue of those who wait to be spoken may be long; then the written digest is delivered, while it is still today's.
SPEAKING = timedelta(hours=6)

# Pieces of one digest that are spoken at once; the seats of their provider are fewer, and others want some too.
PIECES_AT_ONCE = 3

# What is paid for is written down in the end, for the minutes that an absent Postgres may take to come back.
SAVE_DIGEST = ShortStep(
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=20
    ),
)

ASK_NEWS = step(queues.NEWS, A_TURN_AND_A_CALL, first_s=2, tries=6)

WRITE_SCRIPT = step(queues.MODEL, A_TURN_AND_A_CALL, first_s=2, tries=6)

# A piece that came back too short is such a try too, and so is a store that is away.
SPEAK = step(queues.AUDIO, A_TURN_AND_A_CALL, first_s=2, tries=8, longest=timedelta(minutes=2))

# A load has a call for every 250 bills that have changed, each in its turn; the next one begins where this one ends.
LOAD_BILLS = step(queues.NEWS, timedelta(hours=1), first_s=5, tries=4)

PUBLISH = step(queues.AUDIO, timedelta(minutes=30), first_s=2, tries=8, longest=timedelta(minutes=2))

# S3-9: so long after its turn somebody must have begun with it, and so long after that it must have ended; S3-10: in between
# its user is told that it is slow.
SKILL_STARTS_WITHIN = timedelta(minutes=5)
SKILL_SLOW_AFTER = timedelta(minutes=5)
SKILL_ENDS_WITHIN = timedelta(minutes=10)

# S3-2: three retries. Waiting for a place and being written, one try may last as long as all of it: the run's own clock stops it.
EXECUTE_SKILL = step(queues.SKILLS, timedelta(minutes=20), first_s=5, tries=4, heartbeat=timedelta(seconds=10))

STORE_OUTPUT = step(queues.SKILLS, timedelta(minutes=2), first_s=2, tries=8, longest=timedelta(minutes=2))

# Beyond the waiting for seats: behind a longer queue a document's run is given up, and says so.
LONGEST_DOCUMENT = timedelta(hours=6)

# A document's steps, which wait for seats of their tenant while they heartbeat. R(g): three retries; a 429 says its own
# delay. What a cancellation stops is noticed within a quarter of the heartbeat.
READ_FILE = step(queues.DOCUMENTS, A_TURN_AND_A_CALL, first_s=2, tries=3)
EMBED = step(queues.VECTORS, A_TURN_AND_A_CALL, first_s=2, tries=4)
REVIEW_PART = step(queues.DOCUMENTS, A_TURN_AND_A_CALL, first_s=2, tries=4)
DRAW = step(queues.DOCUMENTS, A_TURN_AND_A_CALL, first_s=2, tries=4)

# Parts of one document that are gone through at once: as many as its tenant has seats for. The others wait in its
# workflow, and hold no slot of a worker's.
PARTS_AT_ONCE = 5

# What shows how work goes: a step takes a moment.
DEMO_STEP = step(queues.WORKFLOWS, timedelta(minutes=1), first_s=1, tries=4)

# S4-9: two hours for a source, and the others do not wait for it. Its tries are those of whatever it needs.
SOURCE_WITHIN = timedelta(hours=2)
INGEST = step(queues.VECTORS, A_TURN_AND_A_CALL, first_s=2, tries=4)
LIST_SOURCES = step(queues.DOCUMENTS, timedelta(minutes=10), first_s=2, tries=4)
# Sources of a bootstrap that are taken in at once: fewer than a worker has slots, so that documents have some too.
SOURCES_AT_ONCE = 6
# So many are begun in one history of a bootstrap, and then another goes on, with those that are not done yet.
SOURCES_A_PAGE = 250
# A source that nobody has heard of for so long is looked for: whoever ended it by hand has told nobody.
SOURCES_LOOK = timedelta(minutes=5)
# What is taken in is indexed in the end, however long Postgres takes for it.
INDEX = step(
    queues.DOCUMENTS, timedelta(hours=6), first_s=2, longest=timedelta(minutes=1), heartbeat=timedelta(seconds=30)
)
