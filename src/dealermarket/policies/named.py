"""Policies as a user types them, and how they get into a scenario."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from dealermarket.errors import ParameterError, PolicyError
from dealermarket.model.settings import apply_setting, forget_changed_choices
from dealermarket.policies import BuiltInPolicy, Policy, TrainedMaker
from dealermarket.values import suggestion

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario

KINDS: dict[str, type[BuiltInPolicy]] = {each.model_fields["kind"].default: each for each in get_args(get_args(Policy)[0])}
"""Every kind of policy that ships."""


def policy_named(text: str) -> BuiltInPolicy:
    """The policy that a text names: a kind, a kind with parameters, such as "persistent:low=0.3,high=0.3", or the file of a
    trained policy.

    Values are written as in TOML. A kind goes before a file of the same name. A trained policy is read at once and gets its
    digest, so that it stays the one that was meant. Raises ParameterError, PolicyError where a file cannot be read.
    """
    kind, colon, parameters = text.partition(":")
    if kind in KINDS:
        policy = _of_kind(text, KINDS[kind], parameters if colon else None)
        return _with_digest(policy) if isinstance(policy, TrainedMaker) else policy
    if os.path.isdir(text):
        within = sorted(Path(text).glob("*.npz"))
        raise PolicyError(f"{text}: is a folder; give the policy's file{f', such as {within[0]}' if within else ''}")
    if text.endswith(".npz") or os.path.exists(text):
        return _with_digest(TrainedMaker(file=text))
    raise ParameterError(
        f"policy {text!r}: neither a kind of policy nor the file (.npz) of a trained one{suggestion(kind, KINDS)}"
    )


def with_policy(scenario: Scenario, maker: str, policy: BuiltInPolicy) -> Scenario:
    """The scenario with another policy for a maker, given by name or number. Raises ParameterError."""
    index = maker_index(scenario, maker)
    before = scenario.model_dump(mode="json", exclude_none=True)
    content = copy.deepcopy(before)
    content["makers"][index]["policy"] = policy.model_dump(mode="json", exclude_none=True)
    forget_changed_choices(before, content)
    return type(scenario)(**content)


def with_policies(scenario: Scenario, assignments: Iterable[str]) -> Scenario:
    """The scenario with policies such as "maker-1=random" assigned to its makers. Raises ParameterError."""
    assigned: dict[int, BuiltInPolicy] = {}
    for text in assignments:
        maker, equals, policy = text.partition("=")
        if not (maker and equals and policy):
            raise ParameterError(f"--policy {text!r}: must look like MAKER=POLICY, such as {scenario.maker_names[0]}=random")
        index = maker_index(scenario, maker)
        if index in assigned:
            raise ParameterError(f"--policy {text!r}: {maker!r} was given a policy already")
        assigned[index] = policy_named(policy)
    for index, chosen in assigned.items():
        scenario = with_policy(scenario, scenario.maker_names[index], chosen)
    return scenario


def maker_index(scenario: Scenario, maker: str) -> int:
    """Where a maker, given by name or number, stands among the makers. Raises ParameterError."""
    names = scenario.maker_names
    if maker in names:
        return names.index(maker)
    if maker.isdecimal() and int(maker) < len(names):
        return int(maker)
    raise ParameterError(f"maker {maker!r}: is none of scenario {scenario.name!r}{suggestion(maker, names[:12])}")


def _of_kind(text: str, model: type[BuiltInPolicy], parameters: str | None) -> BuiltInPolicy:
    content: dict[str, Any] = {}
    for part in parameters.split(",") if parameters is not None else ():
        name, equals, value = (each.strip() for each in part.partition("="))
        if not (name and equals and value):
            raise ParameterError(
                f"policy {text!r}: must look like kind:field=value,field=value, such as persistent:low=0,high=0.5"
            )
        if name in content:
            raise ParameterError(f"policy {text!r}: {name}: is given twice")
        if name == "kind" or name not in model.model_fields:
            fields = [field for field in model.model_fields if field != "kind"]
            raise ParameterError(f"policy {text!r}: {name}: unknown field{suggestion(name, fields) or '; it has none'}")
        apply_setting(model, content, f"{name}={value}")
    try:
        return model(**content)
    except ParameterError as error:
        raise ParameterError("\n".join(f"policy {text!r}: {line}" for line in str(error).splitlines())) from None


def _with_digest(policy: TrainedMaker) -> TrainedMaker:
    return policy.replace(digest=policy.load().digest)
