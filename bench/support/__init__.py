"""What the benchmarks share: a server of their own, a load, and figures side by side."""
