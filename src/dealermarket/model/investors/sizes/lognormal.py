"""Log-normal sizes."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from dealermarket.describe import Quantity
from dealermarket.laws import order_size
from dealermarket.model.investors.sizes.base import OrderSize

# As wide as sizes can be and stay numbers above 0 whatever is drawn.
MeanSize = Annotated[float, Field(ge=1e-15, le=1e15), Quantity("units of the asset", 0.1, 1000.0, log=True)]
LogMean = Annotated[float, Field(ge=-35, le=35), Quantity("", -1.0, 8.0)]
LogStd = Annotated[float, Field(ge=0, le=10), Quantity("", 0.0, 1.5)]

# Their meanings where sizes are log-normal: here, and where an investor gives them itself.
MEAN_SIZE = "Mean order size; give it or log_mean."
LOG_MEAN = "Mean of the log of the order size, mu of section 3.2; give it or mean_size."
LOG_STD = "Standard deviation of the log of the order size, sigma of section 3.2."


class LogNormalSize(OrderSize):
    """Log-normal sizes (section 3.2), whose level is given either as `mean_size` or as `log_mean`."""

    kind: Literal["lognormal"] = "lognormal"
    mean_size: Annotated[MeanSize | None, Field(description=MEAN_SIZE)] = None
    log_mean: Annotated[LogMean | None, Field(description=LOG_MEAN)] = None
    log_std: Annotated[LogStd, Field(description=LOG_STD)] = 0.5
    parameters: ClassVar = ("size_log_mean", "log_std")
    alternatives: ClassVar = {"mean_size": ("log_mean",), "log_mean": ("mean_size",)}

    @model_validator(mode="after")
    def _one_level(self) -> LogNormalSize:
        check_one_level(self.mean_size, self.log_mean)
        return self

    @property
    def size_log_mean(self) -> float:
        """Mean of log size, however the level was given."""
        if self.log_mean is not None:
            return self.log_mean
        assert self.mean_size is not None
        return math.log(self.mean_size) - 0.5 * self.log_std**2

    @staticmethod
    def law(draw: Any, rule: Any) -> Any:
        """For a standard normal number."""
        return order_size(draw, rule.size_log_mean, rule.log_std)

    def moment(self, order: int, largest: float) -> float:
        """Of the law without its cap."""
        return math.exp(order * min(self.size_log_mean + 0.5 * order * self.log_std**2, math.log(largest)))

    def share_above(self, largest: float) -> float:
        distance = math.log(largest) - self.size_log_mean
        if self.log_std == 0:
            return float(distance < 0)
        return 0.5 * math.erfc(distance / (self.log_std * math.sqrt(2)))

    @property
    def typical_largest(self) -> float:
        return math.exp(self.size_log_mean + 3 * self.log_std)


def check_one_level(mean_size: object, log_mean: object) -> None:
    """Raises ValueError unless the level of sizes is given in one way."""
    if (mean_size is None) == (log_mean is None):
        raise ValueError("mean_size: give either mean_size or log_mean, and not both")
