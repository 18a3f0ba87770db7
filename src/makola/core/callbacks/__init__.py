"""Callbacks: what we tell other people's servers, at least once, signed, and open to inspection."""
