"""The Hub API: organisations, catalogue and orders of a multi-tier distributor, under /api/v1."""
