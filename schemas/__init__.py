"""Come here when you want to know what is said: every message, setting and event, as pydantic models."""
