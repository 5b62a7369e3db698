"""Come here for what is decided: one module a noun; `ids`, `policies` and `queues` hold what all of them promise."""
