"""Solvers of the programs that strategies pose: one file each."""
