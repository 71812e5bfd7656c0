"""The experiments on what a desk finds in its own data."""
