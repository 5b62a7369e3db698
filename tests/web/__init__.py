"""The pages, their links and their health."""
