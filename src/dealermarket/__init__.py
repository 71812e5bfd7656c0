"""A simulator of dealer (OTC) markets: makers who tier, price and hedge, investors who shop around.

Ten lines to a result::

    from dealermarket import Scenario, SimulationRunner

    scenario = Scenario.load("paper")
    result = SimulationRunner(scenario, replicas=1000, seed=0, threads=2).run()
    print(result.summary.groupby("maker").mean())

What a market is, draws and runs is here. More in folders of its own, imported where they are first used:

- `dealermarket.model`: base classes for parts of a market of your own
- `dealermarket.policies`: how makers act, shipped policies and your own
- `dealermarket.study`: variants of a market on common prices and orders, compared; leagues of policies
- `dealermarket.questions`: what if, for which values, what is best, and if others answer: sweeps, searches, equilibria
- `dealermarket.control`: the best that a maker can do, without simulation
- `dealermarket.data`: a desk's own log of requests: looked at, and made into a market
- `dealermarket.control`: the best that can be done, by dynamic programming
- `dealermarket.plots`: figures of a run
- `dealermarket.envs`: the market as a learning environment (extra `envs`)
- `dealermarket.papers`: the papers' experiments, measured and reported
- `dealermarket.testing`: a checker of vector environments (extra `envs`)
"""

_FOLDERS = ("control", "data", "envs", "model", "papers", "plots", "policies", "questions", "study", "testing")

# That of `typing`, which is not imported: nothing is, not even `__future__`, so that the command answers Ctrl-C from the start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from dealermarket import control as control
    from dealermarket import data as data
    from dealermarket import envs as envs
    from dealermarket import model as model
    from dealermarket import papers as papers
    from dealermarket import plots as plots
    from dealermarket import policies as policies
    from dealermarket import questions as questions
    from dealermarket import study as study
    from dealermarket import testing as testing
    from dealermarket.public import *  # noqa: F403
    from dealermarket.public import __all__ as __all__
else:  # a type checker would take any name for a folder

    def __getattr__(name):
        from importlib import import_module
        from importlib.util import find_spec

        if name in _FOLDERS:
            try:
                return import_module(f"{__name__}.{name}")
            except ImportError as error:  # of an extra that is not installed
                raise AttributeError(str(error)) from error
        hidden = name.startswith("_") and name not in ("__all__", "__version__")
        if not hidden and find_spec(f"{__name__}.{name}") is None:  # modules are found by who imports them
            public = import_module(f"{__name__}.public")
            globals().update({each: getattr(public, each) for each in ("__all__", *public.__all__)})
            if name in globals():
                return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    from dealermarket.public import __all__ as names

    return sorted([*names, *_FOLDERS])
