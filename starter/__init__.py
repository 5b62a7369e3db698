"""Come here for what begins: the command line, the pages, and the development stack."""
