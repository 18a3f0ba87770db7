"""Billing: what each tier pays its parent for a service, and what is paid for one use of it."""
