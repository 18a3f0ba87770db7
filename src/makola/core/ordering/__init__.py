"""Ordering: baskets, orders and their shipments, paid along the chain of tiers."""
