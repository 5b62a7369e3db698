"""Where work waits. One queue for workflows and short steps, one for each kind of provider, with slots of its own."""

WORKFLOWS = "greenroom"
SEARCH = "greenroom-search"
MODEL = "greenroom-model"
CALENDAR = "greenroom-calendar"
MAIL = "greenroom-mail"

ALL = (WORKFLOWS, SEARCH, MODEL, CALENDAR, MAIL)
