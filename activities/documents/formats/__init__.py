"""Come here when a kind of file is to be read, or one that we read wrongly: bytes in, text out, nothing kept."""
