"""The adaptive maker of the follow-up paper."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dealermarket.describe import Quantity
from dealermarket.model.makers.policies.base import Policy
from dealermarket.model.makers.pricing import Skew
from dealermarket.values import Value


class AdaptiveMaker(Value, Policy):
    """Learns what its prices attract, aims at a market share, and leans against its inventory (follow-up paper).

    Prices eps are on a grid. For every eps it keeps forgetting estimates of mean and variance of the net flow nu and of the
    spread income s it would attract; see `dealermarket.policies.adaptive.FlowTable` for what is ours in them. At every step,
    with S0 = S_ref(0), sigma the standard deviation of the mid over a step, z the position and gamma = `risk_aversion`:

    1. eps* is the largest eps whose |eta - share(eps)| is within `tolerance` of the least.
    2. The side that sheds inventory gets the eps <= eps* that has the least
       -S0 E[s] + gamma sqrt(S0^2 Var[s] + sigma^2 E[(z + nu)^2]), the other side eps*; both get eps* where z = 0.
    3. It hedges the fraction x that has the least |x z| S_ref(|x z|) + gamma sqrt(sigma^2 E[(z (1 - x) + nu)^2]).

    [ours]: nu and s of a pair of prices are sums over the two sides, taken as independent, s at (1 + eps) S0 a unit; nu
    in 3 is that of the prices chosen in 2; x is one of 21 fractions of what can trade at once, and 0 where there is nobody
    to hedge with. The hedge is planned on the exchange's curve, as the rule says, wherever it is traded.
    """

    kind: Literal["adaptive"] = "adaptive"
    eta: Annotated[
        float, Field(ge=0, le=1, description="The market share it aims at, by volume; eta."), Quantity("", 0.0, 1.0)
    ] = 0.5
    weight: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="Weight of the newest step in what it learned of its prices, beta: the larger, the less it remembers.",
        ),
        Quantity("", 0.01, 1.0),
    ] = 0.35
    risk_aversion: Annotated[
        float, Field(ge=0, le=1e12, description="How much it dislikes the risk of its position, gamma."), Quantity("", 0.0, 4.0)
    ] = 2.0
    tolerance: Annotated[
        float,
        Field(ge=0, le=1, description="By how much it may miss the target share for a higher price."),
        Quantity("", 0.0, 0.5),
    ] = 0.05
    low: Annotated[Skew, Field(description="The lowest price it considers, as a skew eps.")] = -1.0
    high: Annotated[Skew, Field(description="The highest price it considers, as a skew eps.")] = 1.0
    points: Annotated[
        int, Field(ge=2, le=1000, description="How many prices from low to high it considers."), Quantity("prices", 5, 101)
    ] = 21

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low: must be < high = {self.high:g}, got {self.low:g}")
        return self
