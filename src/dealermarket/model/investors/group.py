"""Groups of investors whose attributes move linearly from the first to the last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import Field, Tag, model_validator

from dealermarket.model.investors.agent import ALTERNATIVES, InvestorAgent, Name, Panel, Probability, check_one_law
from dealermarket.model.investors.demand import DEMANDS, AlwaysTrades, Demand
from dealermarket.model.investors.sizes import SIZES, OrderSize
from dealermarket.model.investors.sizes.lognormal import LogMean, LogStd, MeanSize
from dealermarket.values import NUMBER, NUMBER_OR_RANGE, RANGE, Value

MOST_INVESTORS = 100_000
"""Each is an object, with an account at every maker: more would take minutes before the first step."""

_Pair = Annotated[tuple[float, float], Field(strict=False), Tag(RANGE)]
ProbabilityRange = Annotated[Annotated[Probability, Tag(NUMBER)] | _Pair, NUMBER_OR_RANGE]
MeanSizeRange = Annotated[Annotated[MeanSize, Tag(NUMBER)] | _Pair, NUMBER_OR_RANGE]
LogMeanRange = Annotated[Annotated[LogMean, Tag(NUMBER)] | _Pair, NUMBER_OR_RANGE]
LogStdRange = Annotated[Annotated[LogStd, Tag(NUMBER)] | _Pair, NUMBER_OR_RANGE]


class InvestorGroup(Value):
    """`count` investors named `name-0`, `name-1`, ...; a field given as [first, last] moves linearly between them."""

    name: Name
    count: Annotated[
        int,
        Field(
            ge=1,
            le=MOST_INVESTORS,
            json_schema_extra={"reasons": {"le": "more would take minutes to set up; let one stand for several"}},
        ),
    ]
    trade_probability: ProbabilityRange
    mean_size: MeanSizeRange | None = None
    log_mean: LogMeanRange | None = None
    log_std: LogStdRange = 0.5
    buy_probability: ProbabilityRange = 0.5
    oracle_probability: ProbabilityRange = 0.0
    size: Annotated[OrderSize, SIZES] | None = None
    asks: Panel = "all"
    demand: Annotated[Demand, DEMANDS] = AlwaysTrades()
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
