"""The published API families: each owns its schemas, its error table and its quirks."""
