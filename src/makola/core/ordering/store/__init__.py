"""Ordering's SQL. Private: other domains use `service` and `queries`."""
