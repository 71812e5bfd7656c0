"""What stands in a scenario as a maker's policy."""

from __future__ import annotations


class Policy:
    """How a maker goes beyond its tiering, pricing and hedging rules at every step: what a scenario holds of it.

    A policy does not act and has no memory: whenever markets start, `dealermarket.policies.start` makes an actor of it, which
    has both. A kind that files can name is a frozen `Value`, too, with a `kind` of its own and its parameters as fields. The
    actors of the kinds that ship stand in `dealermarket.policies`; any other policy is a `dealermarket.MakerPolicy`, which
    starts itself.
    """
