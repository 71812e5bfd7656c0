"""The experiments by name: those that ship, of the papers and beyond them, and those that are registered from outside."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TypeVar

from dealermarket.errors import ParameterError
from dealermarket.papers.experiment import Experiment
from dealermarket.slots import takes_from_outside
from dealermarket.values import suggestion

Kind = TypeVar("Kind", bound=type[Experiment])

# Folder, module and class, in the order of the report; imported when they are asked for
_SHIPPED = (
    ("dealer_market.curves", "Curves"),
    ("dealer_market.price_sensitivity", "PriceSensitivity"),
    ("dealer_market.internalization", "Internalization"),
    ("dealer_market.hedging_paths", "HedgingPaths"),
    ("dealer_market.volatility", "Volatility"),
    ("dealer_market.sophistication", "Sophistication"),
    ("dealer_market.markouts", "Markouts"),
    ("learning_makers.best_price", "BestPrice"),
    ("learning_makers.learned_price", "LearnedPrice"),
    ("learning_makers.learned_risk", "LearnedRisk"),
    ("learning_makers.learned_drift", "LearnedDrift"),
    ("learning_makers.two_learners", "TwoLearners"),
    ("learning_makers.elastic_learners", "ElasticLearners"),
    ("own_data.calibration", "Calibration"),
    ("games.price_war", "PriceWar"),
    ("games.hedging_game", "HedgingGame"),
    ("games.contagion", "Contagion"),
    ("fx_dealer.internalization_zone", "InternalizationZone"),
    ("fx_dealer.internalization_limit", "InternalizationLimit"),
    ("learning_makers.yardstick", "YardstickLeague"),
)
_registered: dict[str, type[Experiment]] = {}


def register_experiment(kind: Kind) -> Kind:
    """Makes an experiment from outside the package known by its name; also a decorator of its class.

    One registered before under the same name is replaced, so that a notebook's cell can be run again.

    Parameters
    ----------
    kind : type
        A class of `Experiment` with a name, a question and a preset, and none of its methods abstract.

    Returns
    -------
    type
        The same class.

    Raises
    ------
    ParameterError
        The class lacks something that every experiment has, or has the name of one that ships.
    """
    missing = [name for name in ("name", "question", "preset") if not hasattr(kind, name)] + sorted(kind.__abstractmethods__)
    if missing:
        raise ParameterError(f"experiment {kind.__name__}: has no {', '.join(missing)}")
    if kind.name in shipped_experiments():
        raise ParameterError(f"experiment {kind.name!r}: is one that ships; choose another name")
    _registered[kind.name] = kind
    return kind


def shipped_experiments() -> Mapping[str, Experiment]:
    """The experiments that ship, in the order of the report.

    Returns
    -------
    mapping of str to Experiment
        By name.
    """
    kinds = [getattr(import_module(f"dealermarket.papers.{module}"), name) for module, name in _SHIPPED]
    return {kind.name: kind() for kind in kinds}


def experiments() -> Mapping[str, Experiment]:
    """Every experiment: those that ship, then those that were registered.

    Returns
    -------
    mapping of str to Experiment
        By name.
    """
    return {**shipped_experiments(), **{name: kind() for name, kind in _registered.items()}}


def experiment_named(name: str) -> Experiment:
    """The experiment of a name.

    Parameters
    ----------
    name : str
        The name of one that ships, or that was registered.

    Returns
    -------
    Experiment
        A new one.

    Raises
    ------
    ParameterError
        There is none of this name; the message names the one that is most like it.
    """
    known = experiments()
    if name not in known:
        raise ParameterError(f"experiment: there is no {name!r}{suggestion(name, known)}")
    return known[name]


class _Experiments:
    """What makes `dealermarket.register` take experiments."""

    name = "experiment"
    base: type = Experiment

    def add(self, thing: type[Experiment]) -> None:
        register_experiment(thing)


takes_from_outside(_Experiments())
