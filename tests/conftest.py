"""Shared fixtures: where the outside files are, and what happens to a test that lacks one."""
