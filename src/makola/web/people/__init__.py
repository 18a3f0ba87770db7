"""Signing in and out, the security page, invitations, and who is signed in."""
