"""Where work waits. One queue for workflows and short steps, one for each kind of provider, with slots of its own."""

WORKFLOWS = "greenroom"
SEARCH = "greenroom-search"
MODEL = "greenroom-model"

ALL = (WORKFLOWS, SEARCH, MODEL)

# The settings whose keys a worker of a queue cannot do without.
NEEDS = {WORKFLOWS: (), SEARCH: ("perplexity",), MODEL: ("anthropic",)}
