"""USSD's use cases."""
