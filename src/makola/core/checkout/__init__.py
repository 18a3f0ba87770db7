"""Checkout: merchant accounts, invoices, payments, refunds and payouts."""
