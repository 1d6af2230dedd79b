"""`python -m halab` is the `halab` command."""

from halab.cli import main

main()
