"""A run on disk: the journal, the single writer's lock, the folder that holds both, and the cache across runs."""
