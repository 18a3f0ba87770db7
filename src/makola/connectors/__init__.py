"""The outside world: operators and providers behind the ports of the core."""
