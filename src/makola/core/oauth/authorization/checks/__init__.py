"""One check a file: each takes the parameters and the client, and returns what it has read, or raises."""
