"""Organisations: the tree, the account settings of each, and the Actor."""
