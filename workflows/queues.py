"""Where work waits. One queue for workflows and short steps, one for each kind of provider, with slots of its own."""

WORKFLOWS = "greenroom"
SEARCH = "greenroom-search"
MODEL = "greenroom-model"
CALENDAR = "greenroom-calendar"
MAIL = "greenroom-mail"
# Whoever records calls, whoever reads their transcripts, and who hears of what happened.
CALLS = "greenroom-calls"
READING = "greenroom-reading"
DELIVERY = "greenroom-delivery"

# Who finds news and bills, and who speaks.
NEWS = "greenroom-news"
AUDIO = "greenroom-audio"

# Where skills are run: each takes minutes, so that they have slots of their own.
SKILLS = "greenroom-skills"

# Where documents are read, gone through and written; and who makes vectors of them.
DOCUMENTS = "greenroom-documents"
VECTORS = "greenroom-vectors"

ALL = (
    WORKFLOWS,
    SEARCH,
    MODEL,
    CALENDAR,
    MAIL,
    CALLS,
    READING,
    DELIVERY,
    NEWS,
    AUDIO,
    SKILLS,
    DOCUMENTS,
    VECTORS,
)
