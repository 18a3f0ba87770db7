"""USSD: service codes, sessions, and the applications that subscribers talk to."""
