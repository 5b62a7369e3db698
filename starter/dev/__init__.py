"""Come here for the stack on one machine: every server it needs, started, watched and stopped together."""
