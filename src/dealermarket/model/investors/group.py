"""Groups of investors whose attributes move linearly from the first to the last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import Field, Tag, model_validator

from dealermarket.describe import Quantity
from dealermarket.model.investors.agent import (
    ALTERNATIVES,
    ASKS,
    BUY_PROBABILITY,
    DEMAND,
    ORACLE_PROBABILITY,
    SIZE,
    TRADE_PROBABILITY,
    InvestorAgent,
    Name,
    Panel,
    Probability,
    TradeProbability,
    check_one_law,
)
from dealermarket.model.investors.demand import DEMANDS, AlwaysTrades, Demand
from dealermarket.model.investors.sizes import SIZES, OrderSize
from dealermarket.model.investors.sizes.lognormal import LOG_MEAN, LOG_STD, MEAN_SIZE, LogMean, LogStd, MeanSize
from dealermarket.values import NUMBER, NUMBER_OR_RANGE, RANGE, Value

MOST_INVESTORS = 100_000
"""Each is an object, with an account at every maker: more would take minutes before the first step."""

_Pair = Annotated[tuple[float, float], Field(strict=False), Tag(RANGE)]
TradeProbabilityRange = Annotated[Annotated[TradeProbability, Tag(NUMBER)] | _Pair, NUMBER_OR_RANGE]
ProbabilityRange = Annotated[Annotated[Probability, Tag(NUMBER)] | _Pair, NUMBER_OR_RANGE]
MeanSizeRange = Annotated[Annotated[MeanSize, Tag(NUMBER)] | _Pair, NUMBER_OR_RANGE]
LogMeanRange = Annotated[Annotated[LogMean, Tag(NUMBER)] | _Pair, NUMBER_OR_RANGE]
LogStdRange = Annotated[Annotated[LogStd, Tag(NUMBER)] | _Pair, NUMBER_OR_RANGE]


class InvestorGroup(Value):
    """`count` investors named `name-0`, `name-1`, ...; a field given as [first, last] moves linearly between them."""

    name: Annotated[Name, Field(description="Name of the group, from which those of its investors are made.")]
    count: Annotated[
        int,
        Field(
            ge=1,
            le=MOST_INVESTORS,
            description="How many investors there are.",
            json_schema_extra={"reasons": {"le": "more would take minutes to set up; let one stand for several"}},
        ),
        Quantity("investors", 1, 1000, log=True),
    ]
    trade_probability: Annotated[TradeProbabilityRange, Field(description=TRADE_PROBABILITY)]
    mean_size: Annotated[MeanSizeRange | None, Field(description=MEAN_SIZE)] = None
    log_mean: Annotated[LogMeanRange | None, Field(description=LOG_MEAN)] = None
    log_std: Annotated[LogStdRange, Field(description=LOG_STD)] = 0.5
    buy_probability: Annotated[ProbabilityRange, Field(description=BUY_PROBABILITY)] = 0.5
    oracle_probability: Annotated[ProbabilityRange, Field(description=ORACLE_PROBABILITY)] = 0.0
    size: Annotated[Annotated[OrderSize, SIZES] | None, Field(description=SIZE)] = None
    asks: Annotated[Panel, Field(description=ASKS)] = "all"
    demand: Annotated[Demand, DEMANDS, Field(description=DEMAND)] = AlwaysTrades()
    alternatives: ClassVar = ALTERNATIVES

    @model_validator(mode="after")
    def _valid_members(self) -> InvestorGroup:
        check_one_law(self.mean_size, self.log_mean, self.size)
        ends = {0, self.count - 1}
        for index in sorted(ends):  # the others lie between these two
            self._member(index)
        return self

    def members(self) -> tuple[InvestorAgent, ...]:
        """The investors of the group, in order."""
        return tuple(self._member(index, InvestorAgent.model_construct) for index in range(self.count))

    def _member(self, index: int, made: Callable[..., InvestorAgent] = InvestorAgent) -> InvestorAgent:
        position = index / max(self.count - 1, 1)

        def at(value: Any) -> Any:
            if not (isinstance(value, tuple) and isinstance(value[0], float)):  # names of makers are no range
                return value
            first, last = value
            return first if index == 0 else last if index == self.count - 1 else first + position * (last - first)

        fields = {name: at(getattr(self, name)) for name in type(self).model_fields if name not in ("name", "count")}
        return made(name=f"{self.name}-{index}", **fields)
