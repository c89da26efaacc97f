"""Train circuit breakers (representation rerouting, arXiv 2406.04313) and merge them into full models."""

__version__ = "0.1.0"
