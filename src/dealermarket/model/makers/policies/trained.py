"""A trained policy, by the name of its file."""

from __future__ import annotations

from typing import Literal

from dealermarket.model.makers.policies.base import Policy
from dealermarket.values import Value


class TrainedMaker(Value, Policy):
    """Does what the policy in `file` says, without noise; files are made by `dealermarket train`.

    `file` is a path, seen from where the command runs. With a `digest` (`TrainedPolicy.digest`) another policy under
    that name is refused.
    """

    kind: Literal["trained"] = "trained"
    file: str
    digest: str | None = None
