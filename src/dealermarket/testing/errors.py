"""The error of a broken rule."""

from __future__ import annotations


class VectorEnvError(AssertionError):
    """A vector environment broke a rule: the message says which, at which call, and in which sub-environment."""
