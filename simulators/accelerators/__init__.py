"""Accelerators: one package each, the same file names for the same concern."""
