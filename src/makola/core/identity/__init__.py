"""Identity: the people who may act."""
