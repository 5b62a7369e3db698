"""Come here for what a storm of notifications does: `make flood`, and a smaller one in `make test`."""
