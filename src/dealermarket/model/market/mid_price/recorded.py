"""Prices from a file."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.errors import DataError, ParameterError
from dealermarket.frozen import Frozen, FrozenMapping
from dealermarket.model.market.mid_price.base import MidPrice, Price
from dealermarket.model.part import Clock
from dealermarket.reading.columns import Digest, check_digest
from dealermarket.reading.format import Format
from dealermarket.reading.prices import Recording, read_prices

_SECONDS_PER_DAY = 24.0 * 60.0 * 60.0


class RecordedMid(MidPrice):
    """Mids from a file, a price a step: the last one that was there by then (docs/own-data.md).

    A replica is a window of the file: the first replica the first window, and so on, and after the last the first once more,
    with other orders. Or, with `bootstrap = "block"`, it is made of blocks of log returns. Times that are numbers count steps.
    """

    kind: Literal["recorded"] = "recorded"
    file: Annotated[str, Field(min_length=1, description="The file of prices, CSV or Parquet.")]
    columns: Annotated[
        Frozen[str, str],
        Field(description="What the file calls its columns time, mid, bid and ask, where that is not clear."),
    ] = FrozenMapping()
    format: Annotated[Format, Field(description="How the file writes times and numbers.")] = Format()
    bootstrap: Annotated[
        Literal["windows", "block"],
        Field(description="What replicas are: windows of the file one after another, or blocks of its returns drawn at random."),
    ] = "windows"
    block: Annotated[
        int,
        Field(ge=1, le=1_000_000_000, description="How long a block is; blocks are drawn with replacement."),
        Quantity("steps", 10, 1000, log=True),
    ] = 96
    longest_gap: Annotated[
        float,
        Field(ge=1, le=1e9, description="The longest time without a price that a step may cross."),
        Quantity("steps", 1.0, 100.0, log=True),
    ] = 4.0
    step_seconds: Annotated[
        Annotated[float, Field(ge=1e-6, le=1e9), Quantity("seconds", 1.0, 3600.0, log=True)] | None,
        Field(description="How long a step is in the times of the file; None: 24 hours over the steps of a day."),
    ] = None
    initial: Annotated[Price | None, Field(description="The price that blocks begin at; None: the first of the file.")] = None  # type: ignore[assignment]
    digest: Digest = None
    formulas: ClassVar = {}  # it is read, not drawn step by step

    def recording(self, clock: Clock) -> Recording:
        """The prices of the file at the market's steps. Raises DataError, naming the field, where it has none, and ParameterError
        where the file is another one than `digest` says."""
        seconds = clock.days * _SECONDS_PER_DAY if self.step_seconds is None else self.step_seconds
        try:
            found = read_prices(self.file, self.columns, seconds, self.longest_gap, self.format)
        except DataError as error:
            raise DataError(f"market.mid_price.file: {error}") from None
        check_digest(f"market.mid_price.file: {self.file}", found.digest, self.digest)
        return found

    def first_price(self, clock: Clock) -> float:
        return float(self.recording(clock).mid[0]) if self.initial is None else self.initial

    def step_volatility(self, clock: Clock) -> float:
        """The root of the mean square of the file's log returns."""
        returns = self.recording(clock).log_returns
        return float(np.sqrt(np.mean(returns**2))) if len(returns) else 0.0

    def sample(self, rng: np.random.Generator, steps: int, replicas: int, clock: Clock) -> NDArray[np.float64]:
        """Windows of the file, or paths of blocks, (replicas, steps)."""
        raise ParameterError("market.mid_price: recorded prices are read, not sampled; draw a tape: Tape.draw(scenario)")
