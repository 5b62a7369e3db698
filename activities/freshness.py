"""How long what was found serves (N1, N10, S0-2.5)."""

from datetime import timedelta

# What a person does is good for a week, what a company is for a day.
PERSON = timedelta(days=7)
COMPANY = timedelta(hours=24)
# Nobody found: again tomorrow.
NOBODY = timedelta(hours=24)
# What a company did lately ages faster: before a meeting it is asked again when it is older than this.
NEWS = timedelta(hours=6)
