"""The paper's maker."""

from __future__ import annotations

from typing import Literal

from dealermarket.model.makers.policies.base import Policy
from dealermarket.values import Value


class HeuristicMaker(Value, Policy):
    """The paper's maker: tiering, pricing and hedging as the scenario says, and nothing else (section 3.3)."""

    kind: Literal["heuristic"] = "heuristic"
