"""Investors: price takers."""
