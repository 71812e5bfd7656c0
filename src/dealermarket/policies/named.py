"""Policies as a user types them, and how they get into a scenario."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermarket.errors import ParameterError, PolicyError
from dealermarket.model.makers.policies import POLICIES, Policy, TrainedMaker
from dealermarket.model.scenario import maker_index
from dealermarket.model.settings import apply_setting
from dealermarket.policies.trained import trained_policy
from dealermarket.values import suggestion

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario


def policy_named(text: str) -> Policy:
    """The policy that a text names, as `--policy` takes it.

    A kind goes before a file of the same name. A trained policy is read at once and gets its digest, so that it stays the one
    that was meant.

    Parameters
    ----------
    text : str
        A kind, such as "adaptive"; a kind with parameters, whose values are written as in TOML, such as
        "persistent:low=0.3,high=0.3"; or the file of a trained policy, such as "my-maker/policy.npz".

    Returns
    -------
    Policy
        The policy, to be given to `Scenario.with_policies`.

    Raises
    ------
    ParameterError
        If the text names no policy, or a kind has no such parameters.
    PolicyError
        If a file cannot be read, or is a folder.
    """
    kind, colon, parameters = text.partition(":")
    if kind in POLICIES.kinds:
        policy = _of_kind(text, kind, parameters if colon else None)
        return _with_digest(policy) if isinstance(policy, TrainedMaker) else policy
    if os.path.isdir(text):
        within = sorted(Path(text).glob("*.npz"))
        raise PolicyError(f"{text}: is a folder; give the policy's file{f', such as {within[0]}' if within else ''}")
    if text.endswith(".npz") or os.path.exists(text):
        return _with_digest(TrainedMaker(file=text))
    raise ParameterError(
        f"policy {text!r}: neither a kind of policy nor the file (.npz) of a trained one{suggestion(kind, POLICIES.kinds)}"
    )


def with_policies(scenario: Scenario, assignments: Iterable[str]) -> Scenario:
    """The scenario with policies such as "maker-1=random" assigned to its makers. Raises ParameterError."""
    assigned: dict[str, Policy] = {}
    for text in assignments:
        maker, equals, policy = text.partition("=")
        if not (maker and equals and policy):
            raise ParameterError(f"--policy {text!r}: must look like MAKER=POLICY, such as {scenario.maker_names[0]}=random")
        name = scenario.maker_names[maker_index(scenario, maker)]
        if name in assigned:
            raise ParameterError(f"--policy {text!r}: {maker!r} was given a policy already")
        assigned[name] = policy_named(policy)
    return scenario.with_policies(assigned) if assigned else scenario


def _of_kind(text: str, kind: str, parameters: str | None) -> Policy:
    model: Any = POLICIES.kinds[kind]
    content: dict[str, Any] = {}
    for part in parameters.split(",") if parameters is not None else ():
        name, equals, value = (word.strip() for word in part.partition("="))
        if not (name and equals and value):
            raise ParameterError(
                f"policy {text!r}: must look like kind:field=value,field=value, such as persistent:low=0,high=0.5"
            )
        if name in content:
            raise ParameterError(f"policy {text!r}: {name}: is given twice")
        if name == "kind" or name.partition(".")[0] not in model.model_fields:
            fields = [field for field in model.model_fields if field != "kind"]
            raise ParameterError(f"policy {text!r}: {name}: unknown field{suggestion(name, fields) or '; it has none'}")
        apply_setting(model, content, f"{name}={value}")
    try:
        policy: Policy = model(**content)
    except ParameterError as error:
        raise ParameterError("\n".join(f"policy {text!r}: {line}" for line in str(error).splitlines())) from None
    return policy


def _with_digest(policy: TrainedMaker) -> TrainedMaker:
    return policy.replace(digest=trained_policy(policy).digest)
