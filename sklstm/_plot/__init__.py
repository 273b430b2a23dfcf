"""Displays. Each function that draws imports matplotlib itself, so that the package does not."""
