"""The decision problem of one maker against rivals whose law is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dealermarket.control.nearest import nearest
from dealermarket.control.numbers import Numbers
from dealermarket.errors import ParameterError
from dealermarket.model.makers.reward import Reward
from dealermarket.model.scenario import Scenario, check_scenario, maker_index
from dealermarket.values import short

if TYPE_CHECKING:
    from dealermarket.control.optimum import Optimum


@dataclass(frozen=True)
class Decision:
    """The Markov decision problem of a maker whose rivals do as they do (docs/control.md). `Decision.of` makes and checks one.

    The state is the position held into a step, and the step; the action eps_buy, eps_sell and which fraction of the position to
    hedge at the maker's venue. A maker whose hedging is `none` does not hedge.

    Parameters
    ----------
    scenario : Scenario
        The market, as it is solved.
    maker : str
        Name of the maker that decides.
    reward : Reward
        What it wants most of, in the mean.
    replaced : tuple of str, default ()
        What was changed to make the problem one that is solved exactly: nothing, unless an approximation was asked for.

    Examples
    --------
    >>> from dealermarket import Scenario
    >>> from dealermarket.control import Decision
    >>> scenario = Scenario.load("learning", ["steps=8"])
    >>> optimum = Decision.of(scenario).solve()
    >>> optimum.exact
    True

    """

    scenario: Scenario
    maker: str
    reward: Reward
    replaced: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        maker: str | int | None = None,
        reward: Reward | None = None,
        *,
        approximate: bool = False,
    ) -> Decision:
        """The problem of a maker, given by name or number (the first one where it is left out).

        Exact where the mid does not drift, s0 and the rivals' eps are drawn anew at every step or constant, tiers are fixed, all
        orders compare the makers in the same way, and no rival hedges with the maker. With `approximate`, the nearest problem
        that is.
        Raises ParameterError with all reasons why a problem is not solved, or for too large a lattice."""
        check_scenario(scenario)
        wanted = Reward() if reward is None else reward
        if not isinstance(wanted, Reward):
            raise ParameterError(f"reward: must be a Reward, such as Reward(weights='pnl'), got {short(wanted)}")
        index = 0 if maker is None else maker_index(scenario, str(maker))
        exact, replaced = nearest(scenario, index, wanted, approximate)
        decision = cls(exact, exact.maker_names[index], wanted, replaced)
        _ = decision.numbers
        return decision

    @property
    def exact(self) -> bool:
        """Whether the optimum is that of the scenario as it was given."""
        return not self.replaced

    @property
    def index(self) -> int:
        """The number of the maker among the makers."""
        return self.scenario.maker_names.index(self.maker)

    @cached_property
    def numbers(self) -> Numbers:
        """The problem in numbers."""
        return Numbers.of(self.scenario, self.index, self.reward)

    def solve(self) -> Optimum:
        """The optimum, by value iteration backwards in time; kept on disk."""
        from dealermarket.control.optimum import Optimum
        from dealermarket.control.tables import kept_values

        return Optimum(self, kept_values(self.numbers))
