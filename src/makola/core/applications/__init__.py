"""Applications: what programs authenticate as."""
