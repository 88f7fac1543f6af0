"""Models of expensive objectives: one file each."""
