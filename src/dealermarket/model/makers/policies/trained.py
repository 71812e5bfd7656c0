"""A trained policy, by the name of its file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dealermarket.model.makers.policies.base import Policy
from dealermarket.values import Value


class TrainedMaker(Value, Policy):
    """Does what the policy in a file says, without noise; files are made by `dealermarket train`."""

    kind: Literal["trained"] = "trained"
    file: Annotated[str, Field(description="The policy's file, a path as seen from where the command runs.")]
    digest: Annotated[
        str | None,
        Field(description="The policy's `TrainedPolicy.digest`: where it is given, a file that holds another policy is refused."),
    ] = None
