"""Come here for what is done: the effects, one module a noun, and the world they need as ports."""
