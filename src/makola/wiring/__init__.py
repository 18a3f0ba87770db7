"""Composition, a file for each domain: settings become services, loops and routes.

Each file offers what its domain has of these, and `makola.app` calls them in the order of a process's start:

- `start_worker(parts, ...)`: registers the loops of background work in `parts.background`;
- `routes(parts, ...)`: the Litestar handlers of its pages and of what its operators call;
- a function that returns what an API family needs.

A file here decides nothing about the domain: it reads settings and hands values over.
"""
