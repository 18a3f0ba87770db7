"""USSD's SQL."""
