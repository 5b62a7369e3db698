"""python -m starter: the command line without its script."""

from starter.cli import main

main()
