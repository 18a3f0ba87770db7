"""Makola: a self-hosted hub for resellers, messages and payments."""

__version__ = "0.1.0"
