"""The effects that reading a call needs."""
