"""Come here for the brands: ports made real, one module for each, and nowhere else in the activities."""
