"""What a question varies: fields of a scenario, each with the values to try, or with a range to search."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dealermarket.errors import ParameterError
from dealermarket.model.makers.policies import TrainedMaker
from dealermarket.model.scenario import Scenario, maker_index
from dealermarket.policies import Policy
from dealermarket.policies.named import policy_named
from dealermarket.values import plain, short

_POLICY = re.compile(r"makers\.([^.]+)\.policy")
_EXAMPLE = "such as makers.0.pricing.alpha=1.2,1.3,1.4"
_MOST_VALUES = 10_000


@dataclass(frozen=True)
class Setting:
    """A value of a field, or of several, as it is put into a scenario and as it is shown.

    Parameters
    ----------
    path : str
        The field, such as "makers.0.pricing.alpha"; "+" joins the paths of several.
    value : number, str, list, dict or Policy
        What stands there.
    """

    path: str
    value: Any

    @property
    def label(self) -> str:
        """The value as a text, numbers with six digits."""
        if isinstance(self.value, float):
            return f"{self.value:.6g}"
        if isinstance(self.value, (str, int)) and not isinstance(self.value, bool):
            return str(self.value)
        if isinstance(self.value, dict) and "kind" in self.value:
            others = (f"{name}={Setting(name, value).label}" for name, value in self.value.items() if name != "kind")
            return " ".join([str(self.value["kind"]), *others])
        return type(self.value).__name__ if self.is_policy else _as_toml(self.value)

    @property
    def paths(self) -> list[str]:
        """The paths of the fields that have the value."""
        return paths_of(self.path)

    @property
    def is_policy(self) -> bool:
        """Whether it is a whole policy."""
        return _policy_of(self.path) is not None

    @property
    def as_options(self) -> tuple[str, ...]:
        """As `--set` takes it, or for a policy `--policy`."""
        if self.is_policy:
            return tuple(f"{_policy_of(path)}={self.label}" for path in self.paths)
        return tuple(f"{path}={_as_toml(self.value)}" for path in self.paths)


@dataclass(frozen=True)
class Varied:
    """A field, and the values that it takes in turn.

    Parameters
    ----------
    path : str
        The field, such as "makers.0.pricing.alpha" or "makers.maker-1.policy". Fields whose paths "+" joins take the same values
        together.
    values : tuple
        From 1 to 10,000 different values: numbers, texts and lists as a setting has them; of a policy its kind, its file (.npz),
        or the policy itself.

    Raises
    ------
    ParameterError
        There is no value, there are too many, one comes twice, or a policy is joined with another field.
    """

    path: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(plain(value) for value in self.values))
        policies = [_POLICY.fullmatch(part) is not None for part in paths_of(self.path)]
        if any(policies) and not all(policies):
            raise ParameterError(f"{self.path}: joins a policy with another field; vary them apart")
        if not self.values:
            raise ParameterError(f"{self.path}: must have at least one value, {_EXAMPLE}")
        if len(self.values) > _MOST_VALUES:
            raise ParameterError(f"{self.path}: must have at most {_MOST_VALUES:,} values, got {len(self.values):,}")
        for number, value in enumerate(self.values):
            if value in self.values[:number]:
                raise ParameterError(f"{self.path}: {short(value)} is given twice; each value is tried once")

    def policy_files(self) -> dict[str, str]:
        """The files of trained policies among the values, and their digests. Raises PolicyError where one cannot be read."""
        files = [value for value in self.values if isinstance(value, str) and value.endswith(".npz") and _policy_of(self.path)]
        policies = {file: policy_named(file) for file in files}
        return {file: policy.digest for file, policy in policies.items() if isinstance(policy, TrainedMaker) and policy.digest}

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Each of the values, at the path."""
        return tuple(Setting(self.path, value) for value in self.values)


@dataclass(frozen=True)
class Range:
    """A field that holds a number, and the ends between which its values are searched.

    Parameters
    ----------
    path : str
        The field, such as "makers.0.pricing.alpha"; "+" joins the paths of several.
    low, high : float
        The ends, the lower one first, in the unit of the field.
    log : bool
        Whether values are spread evenly by their logarithm; `low` is then above 0.

    Raises
    ------
    ParameterError
        The ends are no finite numbers, or not one below the other, or `low` is not above 0 where it must be.
    """

    path: str
    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        numbers = all(isinstance(end, (int, float)) and math.isfinite(end) for end in (self.low, self.high))
        if not numbers or not self.low < self.high:
            ends = ":".join(f"{end:g}" if isinstance(end, (int, float)) else short(end) for end in (self.low, self.high))
            raise ParameterError(f"{self.path}: must be a range low:high with low below high, got {ends}")
        if self.log and self.low <= 0:
            raise ParameterError(f"{self.path}: a range by its logarithm must begin above 0, got {self.low:g}")

    def at(self, place: float) -> float:
        """The value at a place in 0..1."""
        if self.log:
            return float(math.exp(math.log(self.low) + place * (math.log(self.high) - math.log(self.low))))
        return float(self.low + place * (self.high - self.low))

    def place(self, value: float) -> float:
        """Where in 0..1 a value stands; beyond the ends, the end."""
        if self.log:
            value = max(value, self.low)
            where = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        else:
            where = (value - self.low) / (self.high - self.low)
        return float(min(max(where, 0.0), 1.0))

    def spaced(self, count: int) -> Varied:
        """The field with values from one end to the other.

        Parameters
        ----------
        count : int
            How many, as far apart from each other as each from the next, by their logarithm with `log`; of a single one, the
            middle. What rounding leaves of 0 is 0.

        Returns
        -------
        Varied
            The field with these values.
        """
        places = np.linspace(0.0, 1.0, count).tolist() if count > 1 else [0.5]
        values = [float(f"{self.at(place):.12g}") for place in places]
        least = 0.0 if self.log else 1e-12 * (self.high - self.low)
        return Varied(self.path, tuple(value if abs(value) > least else 0.0 for value in values))

    @classmethod
    def parsed(cls, text: str) -> Range:
        """The range that a text of a command line names.

        Parameters
        ----------
        text : str
            "PATH=low:high", with ":log" behind it where it is searched by its logarithm.

        Returns
        -------
        Range
            The field with the ends.

        Raises
        ------
        ParameterError
            The text looks otherwise, or the ends cannot be.
        """
        path, ends = _split(text)
        found = _range_of(path, ends)
        if found is None or found[1] is not None:
            raise ParameterError(f"{text}: must look like PATH=low:high or PATH=low:high:log")
        return found[0]


def varied_from(text: str) -> Varied | Range:
    """The field that a text of a command line names, with its values or its range.

    Parameters
    ----------
    text : str
        "PATH=v1,v2,..." for values; "PATH=low:high:COUNT" for so many values from one end to the other; "PATH=low:high" for a
        range. The last two may have ":log" behind them. Commas within brackets and quotes do not part values.

    Returns
    -------
    Varied or Range
        The field with its values, or with the range.

    Raises
    ------
    ParameterError
        The text looks otherwise, or its values or ends cannot be.

    Examples
    --------
    >>> from dealermarket.questions import varied_from
    >>> varied_from("makers.0.pricing.alpha=1.3,1.5")
    Varied(path='makers.0.pricing.alpha', values=(1.3, 1.5))
    >>> varied_from("makers.0.hedging.risk_aversion=0.01:1:3:log").values
    (0.01, 0.1, 1.0)
    """
    path, values = _split(text)
    found = _range_of(path, values)
    if found is None:
        given = [_value(path, value) for value in _parted(values)]
        return Varied(path, tuple(given))
    within, count = found
    return within if count is None else within.spaced(count)


def short_names(paths: Sequence[str]) -> list[str]:
    """The ends of paths that tell them apart.

    Parameters
    ----------
    paths : sequence of str
        Paths of fields.

    Returns
    -------
    list of str
        One for each path: its last field alone, or with the name of its maker or investor, or with as many parts as are needed.

    Examples
    --------
    >>> from dealermarket.questions import short_names
    >>> short_names(["makers.maker-1.pricing.alpha", "steps"])
    ['alpha', 'steps']
    >>> short_names(["makers.maker-1.pricing.alpha", "makers.maker-2.pricing.alpha"])
    ['maker-1.alpha', 'maker-2.alpha']
    """

    def ending(joined: str, length: int) -> str:
        return "+".join(dict.fromkeys(_ending(path, length) for path in paths_of(joined)))

    names = []
    for path in paths:
        others = [other for other in paths if other != path]
        lengths = (n for n in range(1, 12) if ending(path, n) not in {ending(other, n) for other in others})
        names.append(ending(path, next(lengths, 12)))
    return names


def _ending(path: str, length: int) -> str:
    """The last field of a path; with its maker or investor; or as many parts as that."""
    parts = path.split(".")
    last = parts[-2:] if parts[-1] == "kind" else parts[-1:]
    holder = [parts[1]] if length == 2 and parts[0] in ("makers", "investors") and len(parts) > 2 else []
    return ".".join([*holder, *last] if length <= 2 else parts[-length:])


def with_values(scenario: Scenario, settings: Iterable[Setting]) -> Scenario:
    """The scenario with values of fields. Raises ParameterError (also ScenarioError, PolicyError) where it cannot have them."""
    settings = list(settings)
    texts = [option for each in settings if not each.is_policy for option in each.as_options]
    changed = scenario.with_settings(*texts) if texts else scenario
    assigned: dict[str, Policy] = {}
    for path, value in ((path, each.value) for each in settings for path in each.paths):
        maker = _policy_of(path)
        if maker is not None:
            policy = policy_named(value) if isinstance(value, str) else value
            names = scenario.maker_names if maker == "*" else [scenario.maker_names[maker_index(scenario, maker)]]
            assigned |= dict.fromkeys(names, policy)
    return changed.with_policies(assigned) if assigned else changed


def makers_varied(scenario: Scenario, paths: Iterable[str]) -> tuple[str, ...]:
    """The makers that paths name, in order; none where they name other parts or all."""
    every = (path for joined in paths for path in paths_of(joined))
    named = [path.split(".")[1] for path in every if path.startswith("makers.") and path.count(".") > 1]
    return tuple(dict.fromkeys(scenario.maker_names[maker_index(scenario, name)] for name in named if name != "*"))


def path_of_maker(scenario: Scenario, path: str, maker: str) -> str | None:
    """The path with a maker's name in it, where it names every maker, "makers.*.pricing.alpha", or this one; None where it names
    another. A name that has a dot is given by its number. Raises ParameterError for a path of something else."""
    name = maker if "." not in maker else str(scenario.maker_names.index(maker))
    named = []
    for part in paths_of(path):
        keys = part.split(".")
        if keys[0] != "makers" or len(keys) < 3:
            raise ParameterError(f"{path}: must be a field of makers, such as makers.*.pricing.alpha")
        if keys[1] != "*" and scenario.maker_names[maker_index(scenario, keys[1])] != maker:
            return None
        named.append(".".join(["makers", name, *keys[2:]]))
    return "+".join(named)


def value_now(scenario: Scenario, path: str) -> Any:
    """What the scenario has at a path: of several entries, the first one's. Raises ScenarioError where there is no such field."""
    return scenario.values_at(paths_of(path)[0])[0]


def common_value(scenario: Scenario, path: str) -> Any:
    """What the scenario has at a path, None where its entries have several values. Raises ScenarioError."""
    values = [value for part in paths_of(path) for value in scenario.values_at(part)]
    return values[0] if all(value == values[0] for value in values) else None


def values_from(fields: Sequence[Varied | Range], text: str) -> list[Any]:
    """Values of fields, one of each, from a text with commas between them."""
    paths = [field.path for field in fields]
    parts = _parted(text)
    return [_value(path, part) for path, part in zip(paths, parts, strict=True)] if len(parts) == len(paths) else []


def places_of(scenario: Scenario, path: str) -> list[tuple[str, ...]]:
    """The fields that a path names, each by its keys, with makers and investors by number. One that is not there is as it is."""
    places = []
    for part in paths_of(path):
        keys = part.split(".")
        entries = {"makers": scenario.makers, "investors": scenario.investors}.get(keys[0]) if len(keys) > 1 else None
        if entries is None:
            places.append(tuple(keys))
            continue
        names = [entry.name for entry in entries]
        numbers = range(len(names)) if keys[1] == "*" else [names.index(keys[1]) if keys[1] in names else keys[1]]
        places += [(keys[0], str(number), *keys[2:]) for number in numbers]
    return places


def paths_of(path: str) -> list[str]:
    """The paths that "+" joins."""
    return path.split("+")


# --- texts


def _split(text: str) -> tuple[str, str]:
    path, equals, values = text.partition("=")
    if not (path.strip() and equals and values.strip()):
        raise ParameterError(f"{short(text)}: must look like PATH=value,value,... or PATH=low:high, {_EXAMPLE}")
    return path.strip(), values.strip()


def _range_of(path: str, text: str) -> tuple[Range, int | None] | None:
    """The range that a text describes, and how many values of it; None where it describes none."""
    low, *rest = (part.strip() for part in text.split(":"))
    if not rest or _number(low) is None:
        return None
    log = rest[-1] == "log"
    high, *count = rest[:-1] if log else rest
    numbers = _number(low), _number(high)
    if numbers[0] is None or numbers[1] is None or len(count) > 1 or any(not each.isdecimal() for each in count):
        raise ParameterError(f"{path}={text}: must look like low:high, low:high:COUNT or low:high:COUNT:log")
    many = int(count[0]) if count else None
    if many is not None and not 2 <= many <= _MOST_VALUES:
        raise ParameterError(f"{path}={text}: COUNT must be in 2..{_MOST_VALUES:,}, got {many}")
    return Range(path, numbers[0], numbers[1], log), many


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _parted(text: str) -> list[str]:
    """The values between commas that stand in no brackets and no quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        depth += (letter in "[{") - (letter in "]}") if not quote else 0
        if letter == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _value(path: str, text: str) -> Any:
    """The value that a text names: of a policy the text without its quotes, else as in TOML, or a bare word."""
    import tomllib

    if _policy_of(path):
        return text.strip("\"'")
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _policy_of(path: str) -> str | None:
    """The maker whose whole policy stands at a path, of several at the first one; None at another path."""
    found = _POLICY.fullmatch(paths_of(path)[0])
    return None if found is None else found[1]


def _as_toml(value: Any) -> str:
    """A value as a setting has it."""
    import tomli_w

    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)} = {_as_toml(each)}" for key, each in value.items())
        return f"{{{inner}}}"
    return tomli_w.dumps({"v": list(value) if isinstance(value, tuple) else value}).partition("=")[2].strip()
