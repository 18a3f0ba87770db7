"""The catalogue as a process keeps it in memory: small columns of every product, and the documents last asked for.

A product has a position, which never changes while the process lives; every column is indexed by it.
"""
