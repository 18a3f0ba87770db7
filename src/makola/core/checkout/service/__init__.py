"""What may be done with merchant accounts, checkouts and money, a file for each use case."""
