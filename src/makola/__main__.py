"""`python -m makola`."""

from makola.cli import main

main()
