"""Runs: replicas in chunks, their folder and their result; markets driven live."""
