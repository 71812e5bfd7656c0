"""Where the actions of policies go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket.errors import PolicyError
from dealermarket.model.makers.pricing import LARGEST_SKEW
from dealermarket.policies.policy import Action
from dealermarket.values import plain, real_numbers, short, within

if TYPE_CHECKING:
    from dealermarket.engine.rules import Rules
    from dealermarket.engine.state import State
    from dealermarket.model.scenario import Scenario

Array = NDArray[Any]

# As in a scenario, so that quotes stay numbers.
SMALLEST_ALPHA, LARGEST_ALPHA, LARGEST_TIER_PENALTY = 1e-6, 10.0, 1e12


class ActionSlot:
    """Where the actions of one maker go: checks them and puts them where the engine reads them."""

    def __init__(self, state: State, rules: Rules, scenario: Scenario, maker: str) -> None:
        from dealermarket.engine.records import VENUES

        index = scenario.maker_names.index(maker)
        rule, pricing = rules.pricing[index], scenario.makers[index].pricing
        self._given: set[str] = set()  # parts of the action that are not the scenario's own now
        self._maker, self._largest_alpha = maker, min(LARGEST_ALPHA, scenario.exchange.largest_alpha)
        self._fraction = state.given_fraction[:, index]
        self._pricing = {name: state.pricing[name][:, index] for name in ("eps_buy", "eps_sell", *pricing.actions)}
        self._pricing_kind = pricing.kind
        self._own = {name: float(rule[name]) for name in self._pricing}
        self._tiers_given, self._tiers = state.tiers_given[:, index], state.given_tier[:, :, index]
        self._worst_tier = int(rules.tiering[index]["tiers"]) - 1
        self._nobody_to_hedge_with = len(rules.pricing) == 1 and rules.hedging[index]["venue"] == VENUES["makers"]

    def take(self, action: Action) -> None:
        """Raises PolicyError for a wrong type, shape or range, or a hedge with nobody to trade with."""
        if not isinstance(action, Action):
            raise PolicyError(f"policy of {self._maker!r}: act must return an Action, got {short(action)}")
        self._fill_pricing("eps_buy", action.eps_buy, -1.0, LARGEST_SKEW)
        self._fill_pricing("eps_sell", action.eps_sell, -1.0, LARGEST_SKEW)
        self._fill_pricing("alpha", action.alpha, SMALLEST_ALPHA, self._largest_alpha)
        self._fill_pricing("tier_penalty", action.tier_penalty, 0.0, LARGEST_TIER_PENALTY)
        self._fill("hedge_fraction", self._fraction, action.hedge_fraction, np.nan, 0.0, 1.0)
        if self._nobody_to_hedge_with and self._fraction.max() > 0:
            raise PolicyError(
                f"policy of {self._maker!r}: there is no other maker to hedge with; in the scenario give its hedging "
                "kind = 'fraction', fraction = 0.0 and venue = 'exchange'"
            )
        self._tiers_given[...] = action.tiers is not None
        if action.tiers is not None:
            if not np.issubdtype(np.asarray(action.tiers).dtype, np.integer):
                raise PolicyError(f"policy of {self._maker!r}: tiers must be whole numbers, got {short(action.tiers)}")
            self._fill("tiers", self._tiers, action.tiers, 0, 0, self._worst_tier)

    def target(self, part: str) -> Array:
        """Where a part of the action goes, (B,): for numbers that are known to be allowed. What nobody writes there stays."""
        return self._fraction if part == "hedge_fraction" else self._pricing[part]

    def _fill_pricing(self, name: str, given: ArrayLike | None, low: float, high: float) -> None:
        """Writes a part of an action that the maker's pricing rule has. Raises PolicyError where it has none of this name."""
        if name in self._pricing:
            self._fill(name, self._pricing[name], given, self._own[name], low, high)
        elif given is not None:
            raise PolicyError(
                f"policy of {self._maker!r}: {name} is no parameter of {self._pricing_kind!r} pricing; leave it out, or give the "
                "maker another kind of pricing in the scenario"
            )

    def _fill(self, name: str, target: Array, given: ArrayLike | None, own: float, low: float, high: float) -> None:
        """Writes a part of an action, or what the maker does without it, and checks its range."""
        if given is None:
            if name in self._given:  # else it still is what the scenario says
                target[...] = own
                self._given.remove(name)
            return
        self._given.add(name)
        way_out = ""
        try:
            target[...] = real_numbers(given)
        except TypeError as error:
            said, way_out = "must be real numbers", f"; {error}"
        except ValueError:
            said = f"must broadcast to shape {target.shape}"
        else:
            if within(target, low, high):
                return
            said = f"must be in [{low:g}, {high:g}]"
        raise PolicyError(f"policy of {self._maker!r}: {name} {said}, got {short(plain(given))}{way_out}")
