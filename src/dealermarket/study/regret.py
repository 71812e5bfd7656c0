"""Regret: what policies lose against the optimum of one maker's market, and whether by their prices or by their hedges.

The expected reward of any policy is the optimum's value plus the sum of the advantages of what it does, state by state
(Kakade and Langford 2002, lemma 6.1: the performance difference). An advantage is never above 0 and has none of the noise of
what happens next, so that this sum tells regret much more sharply than rewards do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.control import Decision, Optimum
from dealermarket.control.nearest import WAY_OUT
from dealermarket.engine.scales import scales_of
from dealermarket.errors import ParameterError
from dealermarket.estimates import FEWEST_RUNS, Estimate, mean, with_interval
from dealermarket.laws import risk_penalty, weighted
from dealermarket.model.makers.policies import OptimalMaker, TrainedMaker
from dealermarket.model.makers.reward import Components, Reward
from dealermarket.model.scenario import Scenario
from dealermarket.policies import Policy
from dealermarket.policies.trained import trained_policy
from dealermarket.runs.executors import Executor, Progress
from dealermarket.runs.orders import sums_by_cell
from dealermarket.runs.tables import Chunk
from dealermarket.study.labelled import Measures
from dealermarket.study.study import Study, measure
from dealermarket.values import whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

OPTIMUM = "optimum"
"""The label of the optimum's own simulation."""
REPLICAS = 1000
MOST_REPLICAS = 1_000_000
SMALLEST_VALUE = 0.01
"""Of a value below this, in multiples of what all investors pay at half the mean reference spread, a share says nothing."""
DECIDED = {"eps_buy", "eps_sell", "hedge_fraction"}
_REWARD = Reward()
BINS = 41  # of positions; odd, so that the middle one is around a flat position


@dataclass(frozen=True, eq=False)
class Yardstick:
    """Policies in the place of one maker of a scenario, beside the optimum of its reward.

    Policies may decide eps and the hedge. What they would do to tiers, alpha and tier penalties is no part of the problem, and a
    trained policy that does is refused.

    Parameters
    ----------
    scenario : Scenario
        The market.
    policies : mapping of str to Policy
        By label. An `OptimalMaker` without a reward of its own has that of the yardstick.
    maker : str, optional
        Whose place they take: a name or a number. Where left out, the first maker's.
    reward : Reward
        What the maker is rewarded for.
    replicas : int
        In how many replicas each plays, from 10 to 1,000,000.
    seed : int
        The seed of all markets, 0 or more.

    Raises
    ------
    ParameterError
        The optimum cannot be found (all reasons are listed), a policy decides what the optimum does not or has the label
        "optimum", or a number is out of its range.
    PolicyError
        A policy cannot act there.

    Notes
    -----
    The expected reward of a policy is the optimum's value plus the sum of the advantages of what it does (Kakade and Langford,
    Approximately Optimal Approximate Reinforcement Learning, 2002, lemma 6.1).
    """

    scenario: Scenario
    policies: Mapping[str, Policy]
    maker: str | None = None
    reward: Reward = _REWARD
    replicas: int = REPLICAS
    seed: int = 0

    def __post_init__(self) -> None:
        from dealermarket.runs.session import acting_policies

        if OPTIMUM in self.policies:
            raise ParameterError(f"policies: {OPTIMUM!r} is the label of the optimum itself; give yours another one")
        object.__setattr__(self, "policies", {label: self._with_reward(policy) for label, policy in self.policies.items()})
        object.__setattr__(self, "replicas", whole_number("replicas", self.replicas, FEWEST_RUNS, MOST_REPLICAS))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0))
        for label, policy in self.policies.items():
            others = set(trained_policy(policy).controls.names) - DECIDED if isinstance(policy, TrainedMaker) else ()
            if others:
                raise ParameterError(f"{label}: decides {', '.join(sorted(others))}, too, which the optimum does not")
        for variant in self.study.variants.values():
            acting_policies(variant, {})  # fails here, before anything is run

    def _with_reward(self, policy: Policy) -> Policy:
        """An optimal maker of no reward in particular wants what is asked about."""
        if isinstance(policy, OptimalMaker) and "reward" not in policy.model_fields_set:
            return policy.replace(reward=self.reward)
        return policy

    @cached_property
    def decision(self) -> Decision:
        """What the maker decides, and what for."""
        try:
            return Decision.of(self.scenario, self.maker, self.reward)
        except ParameterError as error:
            raise ParameterError(str(error).removesuffix(f"\n{WAY_OUT}")) from None  # no way to regret

    @cached_property
    def study(self) -> Study:
        """A variant of the scenario for each policy, and one for the optimum."""
        every = {OPTIMUM: OptimalMaker(reward=self.reward), **self.policies}
        variants = {label: self.scenario.with_policies({self.decision.maker: policy}) for label, policy in every.items()}
        return Study("regret", variants, self.replicas, partial(losses, decision=self.decision), "steps")

    @property
    def market_steps(self) -> int:
        """Steps of markets in all."""
        return self.study.market_steps

    def run(self, threads: int = 1, progress: Progress | None = None, executor: Executor | str | None = None) -> Regrets:
        """Runs every policy, on common prices and orders.

        Parameters
        ----------
        threads : int
            How many threads to run on, from 1 to 1024.
        progress : callable, optional
            Called with the number of market steps done since the last call, from any thread.
        executor : Executor or str, optional
            Where to run instead of on threads: an executor, or a text as `executor_on` takes it.

        Returns
        -------
        Regrets
            What each policy loses.

        Raises
        ------
        ParameterError
            `threads` is not in 1..1024, or the text names no executor.
        ExecutorError
            The executor is not installed, or nobody answers there.
        PolicyError
            A policy returned an action that cannot be.
        """
        return Regrets(self, measure([self.study], self.seed, threads, progress, executor=executor)["regret"])


@dataclass(frozen=True)
class Regret:
    """What one policy loses in a step, in the unit of the reward.

    Parameters
    ----------
    label : str
        By which it is known.
    policy : Policy
        The policy.
    reward : Estimate
        What it earned.
    difference : Estimate
        That less what the optimum earned on the same prices and orders.
    regret : Estimate
        What it loses, by the sum of its advantages: much sharper than the difference.
    prices : Estimate
        Of that, what it would lose with the best hedge at every step.
    hedging : Estimate
        Of that, what its hedges cost beside the best ones.
    share : Estimate
        What it gets of the optimum's value; NaN where that is near 0.
    """

    label: str
    policy: Policy
    reward: Estimate
    difference: Estimate
    regret: Estimate
    prices: Estimate
    hedging: Estimate
    share: Estimate


@dataclass(frozen=True, eq=False)
class Regrets:
    """What was measured of each policy beside the optimum.

    Parameters
    ----------
    yardstick : Yardstick
        What was asked.
    samples : mapping of str to Measures
        By label, the optimum's among them, means over the steps of each replica, (replicas,) each: `reward`; `without_chance`,
        the same without what the mid's moves bring by chance; and what is lost by `prices` and by `hedging`.
    """

    yardstick: Yardstick
    samples: Mapping[str, Measures]

    @cached_property
    def optimum(self) -> Optimum:
        """The optimum, solved."""
        return self.yardstick.decision.solve()

    @cached_property
    def simulated(self) -> Estimate:
        """What the optimum earned a step where it was simulated, without what the mid's moves bring, whose mean is 0: its value,
        but for chance."""
        return mean(self.samples[OPTIMUM]["without_chance"])

    def of(self, label: str) -> Regret:
        """What a policy loses."""
        own, policy = self.samples[label], self.yardstick.policies[label]
        prices, hedging = own["prices"], own["hedging"]
        value, loss = self.optimum.value, mean(prices + hedging)
        share = Estimate(1 - loss.value / value, loss.error / abs(value), 1 - loss.high / value, 1 - loss.low / value)
        return Regret(
            label,
            policy,
            mean(own["reward"]),
            mean(own["reward"] - self.samples[OPTIMUM]["reward"]),
            loss,
            mean(prices),
            mean(hedging),
            share if self.has_shares else Estimate(*(np.asarray(np.nan),) * 4),
        )

    @property
    def has_shares(self) -> bool:
        """Whether shares of the optimum's value mean anything."""
        scales = scales_of(self.yardstick.scenario, self.yardstick.reward)
        return self.optimum.value * scales.money > SMALLEST_VALUE * scales.spread * scales.volume

    def ranked(self) -> list[Regret]:
        """The policies, the least regret first."""
        return sorted(map(self.of, self.yardstick.policies), key=lambda each: float(each.regret.value))

    def frame(self) -> pd.DataFrame:
        """A row per policy, the least regret first: every number with its interval, and the optimum's value."""
        import pandas as pd

        names = ("reward", "difference", "regret", "prices", "hedging", "share")
        rows: list[dict[str, Any]] = []
        for each in self.ranked():
            numbers = {name: part for name in names for name, part in with_interval(name, getattr(each, name)).items()}
            rows.append({"policy": each.label, **numbers, "value": self.optimum.value})
        return pd.DataFrame(rows)

    def actions(self, label: str) -> pd.DataFrame:
        """What a policy did in the mean where it held a position.

        Parameters
        ----------
        label : str
            The label of the policy; "optimum" for the optimum itself.

        Returns
        -------
        pandas.DataFrame
            A row for each of up to 41 bins of positions that it visited: `position`, in units of the asset, `eps_buy`,
            `eps_sell`, `hedge_size`, signed, from the maker's side, and in how many `steps` it was there.
        """
        import pandas as pd

        sums = self.samples[label]["actions"].sum(axis=0)
        there = sums[:, 0] > 0
        means = sums[there, 1:] / sums[there, :1]
        columns = {"position": means[:, 0], "eps_buy": means[:, 1], "eps_sell": means[:, 2], "hedge_size": means[:, 3]}
        return pd.DataFrame({**columns, "steps": sums[there, 0].astype(int)})


def losses(scenario: Scenario, chunk: Chunk, decision: Decision) -> Measures:
    """Of the maker that decides, each (B,) and a mean over the steps: `reward`; `without_chance`, the same
    without what the mid's moves bring by chance alone; and what it loses by `prices` and `hedging`, both 0
    or more but for rounding. `actions` (B, BINS, 5): steps with a position in each bin, and the sums there of position, eps_buy,
    eps_sell and hedge size. Needs steps."""
    index = decision.index
    steps = chunk.record.steps[:, :, index]
    optimum, spread = decision.solve(), chunk.reference_spread
    lost = []
    for t in range(scenario.steps):
        now = steps[:, t]
        action = now["eps_buy"], now["eps_sell"], now["hedge_fraction"]
        lost.append(optimum.advantage(t, now["position"], spread[:, t], action))
    return Measures(
        others={
            "reward": rewards(scenario, chunk, index, decision.reward).mean(axis=1),
            "without_chance": rewards(scenario, chunk, index, decision.reward.without_chance).mean(axis=1),
            "prices": -np.mean([each.prices for each in lost], axis=0),
            "hedging": -np.mean([each.hedging for each in lost], axis=0),
            "actions": _actions(steps, scales_of(scenario, decision.reward).position),
        }
    )


def rewards(scenario: Scenario, chunk: Chunk, maker: int, reward: Reward) -> Array:
    """What a learner is rewarded with after each step, (B, T): what came of the trades of the step, and of the position after
    it when the next step's price is known (not after the last, for there is none). Needs steps."""
    steps, mid, scales = chunk.record.steps[:, :, maker], chunk.record.mid, scales_of(scenario, reward)
    held = np.concatenate([steps["position"][:, 1:], chunk.record.position[:, maker, None]], axis=1)

    def of_next_step(values: Array) -> Array:
        return np.concatenate([values, np.zeros((len(values), 1))], axis=1)

    components = Components(
        spread_revenue=steps["spread_revenue"],
        position_revenue=of_next_step(steps["position_revenue"][:, 1:]),
        hedging_cost=steps["hedging_cost"],
        risk_cost=of_next_step(steps["risk_cost"][:, 1:]),
        inventory_pnl=of_next_step(steps["position"][:, 1:] * np.diff(mid, axis=1)),
    )
    penalty = risk_penalty(components.inventory_pnl / scales.money, held / scales.position, scales.penalties)
    return np.asarray(weighted(components, scales.weights, scales.money) - penalty)


def _actions(steps: Array, scale: float) -> Array:
    """What `losses` says of actions; bins reach 2 `scale` to both sides, positions beyond are in the last."""
    width = 4.0 * scale / BINS
    place = np.clip(np.rint(steps["position"] / width), -(BINS // 2), BINS // 2).astype(int) + BINS // 2
    replica = np.broadcast_to(np.arange(len(steps))[:, None], place.shape)
    index, shape = (replica.ravel(), place.ravel()), (len(steps), BINS)
    parts = [np.ones(place.size), *(steps[name].ravel() for name in ("position", "eps_buy", "eps_sell", "hedge_size"))]
    return np.stack([sums_by_cell(shape, index, part) for part in parts], axis=-1)
