"""The points of a question: scenarios that differ in some fields, from a grid of values or drawn in ranges."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.pairing import exogenous
from dealermarket.errors import DealerMarketError, ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.questions.fields import Range, Setting, Varied, places_of, short_names, value_now, with_values
from dealermarket.values import whole_number

MOST_POINTS = 100_000
MOST_SAID = 50  # points that cannot be


@dataclass(frozen=True)
class Point:
    """A scenario, and the settings that made it.

    Parameters
    ----------
    settings : tuple of Setting
        What was set.
    scenario : Scenario
        What came of it.
    """

    settings: tuple[Setting, ...]
    scenario: Scenario

    @property
    def label(self) -> str:
        """The settings in one line, with the ends of their paths."""
        return _label(self.settings)

    @property
    def as_options(self) -> tuple[str, ...]:
        """The settings as `--set` takes them."""
        return tuple(option for setting in self.settings for option in setting.as_options)

    @property
    def as_arguments(self) -> str:
        """What makes the point of its scenario on a command line, for a shell."""
        flags = (("--policy" if each.is_policy else "--set", option) for each in self.settings for option in each.as_options)
        return " ".join(f"{flag} {shlex.quote(option)}" for flag, option in flags)


def grid(scenario: Scenario, fields: Sequence[Varied]) -> tuple[Point, ...]:
    """A point for every combination of values, the last field's the quickest to change.

    Raises ParameterError, with a line each, where the scenario cannot have values or combinations of them."""
    check_paths(scenario, fields)
    count = 1
    for field in fields:
        count *= len(field.values)
    if count > MOST_POINTS:
        raise ParameterError(f"grid: {count:,} points, at most {MOST_POINTS:,} are run; take fewer values, or --sample")
    return points_of(scenario, itertools.product(*(field.settings for field in fields)))


def sampled(scenario: Scenario, fields: Sequence[Range], count: int, seed: int = 0) -> tuple[Point, ...]:
    """`count` points in ranges, spread evenly: a scrambled Sobol sequence (Owen, J. Complexity 14, 1998), the same for a seed.

    Fields that hold whole numbers get whole numbers. Raises as `grid` does."""
    check_paths(scenario, fields)
    count = whole_number("--sample", count, 2, MOST_POINTS)
    places = sobol_places(len(fields), count, seed)
    settings = [[setting_at(scenario, field, where) for field, where in zip(fields, row, strict=True)] for row in places.tolist()]
    return points_of(scenario, settings)


def sobol_places(fields: int, count: int, seed: int) -> NDArray[Any]:
    """The first `count` points of a scrambled Sobol sequence in the unit cube, (count, fields), the same for a seed."""
    from scipy.stats import qmc

    sobol = qmc.Sobol(fields, scramble=True, rng=seed)
    return np.asarray(sobol.random_base2((count - 1).bit_length())[:count])


def setting_at(scenario: Scenario, field: Range, place: float) -> Setting:
    """The setting at a place in 0..1 of a range, with six digits: a whole number where the field holds one."""
    value: Any = float(f"{field.at(place):.6g}")
    now = value_now(scenario, field.path)
    if isinstance(now, int) and not isinstance(now, bool):
        value = round(value)
    return Setting(field.path, value)


def by_tapes(scenarios: Iterable[Scenario]) -> list[list[int]]:
    """Numbers of the scenarios, in groups that share their tapes."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, scenario in enumerate(scenarios):
        groups.setdefault(tuple(exogenous(scenario).values()), []).append(number)
    return list(groups.values())


def check_paths(scenario: Scenario, fields: Sequence[Varied | Range]) -> None:
    """Raises ParameterError where there is no field, or two name the same one, by name, number or *."""
    if not fields:
        raise ParameterError("fields: give at least one, such as makers.0.pricing.alpha=1.2,1.3,1.4")
    seen: dict[tuple[str, ...], str] = {}
    for field in fields:
        for place in places_of(scenario, field.path):
            if place in seen:
                raise ParameterError(f"{field.path}: is varied twice, also as {seen[place]}; give all its values at once")
        seen |= dict.fromkeys(places_of(scenario, field.path), field.path)


def check_numbers(scenario: Scenario, fields: Sequence[Varied | Range]) -> None:
    """Raises ParameterError where a range is of a field that holds no number."""
    for each in fields:
        now = value_now(scenario, each.path)
        if isinstance(each, Range) and (isinstance(now, bool) or not isinstance(now, (int, float))):
            raise ParameterError(f"{each.path}: must be a number to be searched in a range, is {now!r}; give values")


def points_of(scenario: Scenario, combinations: Iterable[Sequence[Setting]]) -> tuple[Point, ...]:
    """The points of settings. Raises ParameterError that names those that cannot be, up to MOST_SAID of them, and why."""
    points, refused = [], list[str]()
    for settings in combinations:
        try:
            points.append(Point(tuple(settings), with_values(scenario, settings)))
        except DealerMarketError as error:
            refused.append(f"{_label(settings)}: {'; '.join(str(error).splitlines())}")
    if refused:
        count = f"{len(refused):,} points" if len(refused) > 1 else "one point"
        more = [f"and {len(refused) - MOST_SAID:,} more"] if len(refused) > MOST_SAID else []
        raise ParameterError("\n".join([f"{count} cannot be run, so nothing was:", *refused[:MOST_SAID], *more]))
    return tuple(points)


def _label(settings: Sequence[Setting]) -> str:
    """Settings in one line, with the ends of their paths."""
    names = short_names([setting.path for setting in settings])
    return ", ".join(f"{name}={setting.label}" for name, setting in zip(names, settings, strict=True))
