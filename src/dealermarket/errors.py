"""The exceptions a user of dealermarket can meet.

Every message names the field or file, the value found, what is allowed and the way out. The command prints the
message and exits with status 2; Python code catches :class:`DealerMarketError` or one of its kinds.
"""

from __future__ import annotations


class DealerMarketError(Exception):
    """Base of every error that dealermarket raises on purpose."""


class ParameterError(DealerMarketError, ValueError):
    """A parameter of a component, a runner or a method is not allowed. Lists every problem, one a line."""


class ScenarioError(ParameterError):
    """A scenario cannot be read or does not describe a market."""


class TapeError(DealerMarketError, ValueError):
    """Prices or orders handed in from outside do not fit the scenario."""


class DataError(DealerMarketError, ValueError):
    """A file of prices, orders or requests cannot be read, or does not hold what it must. Names rows where some are wrong."""


class PolicyError(DealerMarketError, ValueError):
    """A policy written in Python is attached to no maker or returned an action of the wrong shape or range."""


class RunFolderError(DealerMarketError):
    """A run folder is missing, incomplete, not empty, not a run folder, or of another version."""


class ExecutorError(DealerMarketError):
    """Where work was to be run nobody answers, has what is needed, or comes to an end with it."""
