"""Training data: embedded prompts, on-policy answers, readers of the user's files, and masked batches."""
