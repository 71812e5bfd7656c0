"""Slots: what can be registered, what is refused and why, and what is derived from the lists of kinds."""

from __future__ import annotations

import textwrap
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, ClassVar, Literal, NamedTuple

import numba
import numpy as np
import pytest

from conftest import assert_same_bits, raises
from dealermarket import RunFolderError, Scenario, SimulationRunner, register
from dealermarket.compiled import Compiled, among
from dealermarket.draws.records import number_rows, rule_records
from dealermarket.draws.tape import Tape
from dealermarket.engine.advance import advance
from dealermarket.engine.curve_tables import curve_table
from dealermarket.engine.hedge_tables import lookup
from dealermarket.engine.planning import plans_of
from dealermarket.engine.rules import rules_of
from dealermarket.errors import ParameterError, ScenarioError
from dealermarket.learning.folder import TrainingFolder
from dealermarket.learning.training import Training
from dealermarket.model import MidPrice, OrderSize, PlannedHedging, PricingRule, RankedTiering, ReferenceSpread, TradingPolicy
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging import HEDGINGS, AlmgrenChriss, ConstantFraction, FullHedge
from dealermarket.model.makers.pricing import PRICINGS, PowerPricing
from dealermarket.model.part import Clock
from dealermarket.papers import Plan, experiment_named
from dealermarket.papers.report_folder import ReportFolder
from dealermarket.runs.folder import RunFolder
from dealermarket.slots import Law, Slot, from_outside
from markets import run_engine

pytestmark = pytest.mark.usefixtures("lists_as_they_were")


class Flat(PricingRule):
    """Every size at one price."""

    kind: Literal["flat"] = "flat"
    price: float = 1.5
    parameters: ClassVar = ("price",)

    @staticmethod
    def curve(rule: Any, size: Any) -> Any:
        return rule.price + 0.0 * size


def says(error: type[Exception], *words: str) -> Any:
    """An error whose text has all of these words, in this order."""
    return pytest.raises(error, match=".*".join(words))


# --- registering


def test_a_registered_kind_is_valid_in_settings_and_in_toml() -> None:
    with says(ScenarioError, "makers.0.pricing.kind", "'flat'"):
        Scenario.load("paper", ["makers.0.pricing.kind=flat"])
    assert register(Flat) is Flat
    scenario = Scenario.load("paper", ["makers.0.pricing.kind=flat", "makers.0.pricing.price=2.5"])
    assert scenario.makers[0].pricing == Flat(price=2.5)
    assert Scenario.from_toml(scenario.to_toml()) == scenario
    with says(ScenarioError, "makers.0.pricing.price", "number", "'dear'"):
        Scenario.load("paper", ["makers.0.pricing.kind=flat", "makers.0.pricing.price=dear"])


def test_an_instance_of_an_unregistered_kind_is_refused_with_the_way_out() -> None:
    with says(ParameterError, "pricing", "Flat is not registered", r"register\(Flat\)"):
        MarketMakerAgent(name="a", pricing=Flat())
    register(Flat)
    assert MarketMakerAgent(name="a", pricing=Flat()).pricing == Flat()


def test_a_class_defined_anew_takes_the_place_of_the_former() -> None:
    """As when a cell of a notebook is run again."""

    def defined(price: float) -> type[PricingRule]:
        class Again(Flat):
            kind: Literal["again"] = "again"  # type: ignore[assignment]
            price: float = 1.0

        Again.__qualname__ = "Again"
        return Again

    first, second = register(defined(1.0)), register(defined(2.0))
    assert first is not second
    assert PRICINGS.kinds["again"] is second
    assert list(PRICINGS.kinds).count("again") == 1


def test_what_is_no_kind_is_refused_and_says_what_it_must_be() -> None:
    class Nameless(PricingRule):
        @staticmethod
        def curve(size: Any) -> Any:
            return 1.0

    class Curveless(PricingRule):
        kind: Literal["curveless"] = "curveless"

    class Greedy(PricingRule):
        kind: Literal["greedy"] = "greedy"

        @staticmethod
        def curve(size: Any, inventory: Any) -> Any:
            return inventory

    class Impostor(PowerPricing):
        kind: Literal["power"] = "power"

    class Unfinished(MidPrice):
        kind: Literal["unfinished"] = "unfinished"

        @staticmethod
        def law(before: Any) -> Any:
            return before

    with says(ParameterError, "int is a subclass of none of", r"PricingRule \(pricing\)"):
        register(3)
    with says(ParameterError, "pricing", "the class PowerPricing"):
        register(PowerPricing())
    with says(ParameterError, "pricing: Nameless needs a name"):
        register(Nameless)
    with says(ParameterError, "Curveless.curve: is missing", "size, log_curve, tier, rule, numbers"):
        register(Curveless)
    with says(ParameterError, "Greedy.curve: takes inventory", "size, log_curve"):
        register(Greedy)
    with says(ParameterError, "there is a kind 'power' already, PowerPricing"):
        register(Impostor)
    with says(ParameterError, "mid price: Unfinished", "step_volatility"):
        register(Unfinished)
    assert set(PRICINGS.kinds) == set(dict(PRICINGS.kinds))  # nothing of these has stayed
    assert not {"curveless", "greedy"} & set(PRICINGS.kinds)


def test_the_default_kind_needs_no_name_where_there_is_one() -> None:
    assert MarketMakerAgent(name="a", pricing={"alpha": 1.3}).pricing == PowerPricing(alpha=1.3)
    with says(ParameterError, "hedging.kind: is required"):
        MarketMakerAgent(name="a", hedging={"fraction": 0.5})
    with says(ParameterError, "pricing: must be a table, got 3"):
        MarketMakerAgent(name="a", pricing=3)


@pytest.mark.parametrize(
    ("first", "second"), [("mean_size=2.0", "log_mean=1.0"), ("size.kind=lognormal", "mean_size=3.0"), ("log_std=0.2", "size={}")]
)
def test_a_setting_takes_away_what_it_stands_in_place_of(first: str, second: str) -> None:
    """Else a preset's sizes could not be given in another way by settings."""
    fields = first.partition(".")[0].partition("=")[0]
    settings = [f"investors.*.{first}", f"investors.*.{second}"]
    if "size" in second and "mean" not in second:
        settings.append("investors.*.size.mean_size=2.0")
    if first == "size.kind=lognormal":
        settings.insert(1, "investors.*.size.mean_size=2.0")
    (entry,) = Scenario.load("paper", settings).investors
    assert fields not in entry.model_fields_set


# --- what is derived


def test_records_have_the_parameters_of_all_kinds_and_the_place_in_the_list() -> None:
    parts = [FullHedge(), ConstantFraction(fraction=0.25), AlmgrenChriss(risk_aversion=2.0, horizon=7)]
    rows = rule_records(HEDGINGS, parts, Clock(0.1), venue=[2, 0, 1], volatility=[0.0, 0.1, 0.2])
    assert rows["kind"].tolist() == [list(HEDGINGS.kinds).index(kind) for kind in ("full", "fraction", "optimal")]
    assert rows["fraction"].tolist() == [0.0, 0.25, 0.0]
    assert rows["risk_aversion"].tolist() == [0.0, 0.0, 2.0]
    assert rows["horizon"].tolist() == [0.0, 0.0, 7.0]
    assert rows["venue"].tolist() == [2, 0, 1]


def test_rows_of_numbers_are_as_long_as_the_longest() -> None:
    class Long(Flat):
        kind: Literal["long"] = "long"  # type: ignore[assignment]

        @property
        def numbers(self) -> np.ndarray[Any, Any]:
            return np.array([3.0, 4.0])

    assert number_rows([Flat(), Long()]).tolist() == [[0.0, 0.0], [3.0, 4.0]]
    assert number_rows([Flat()]).shape == (1, 0)


def test_a_law_is_that_of_the_kind_with_the_number_and_hands_in_what_it_takes() -> None:
    register(Flat)
    curve = Law(PRICINGS, "curve")
    rows = rule_records(PRICINGS, [PowerPricing(alpha=2.0), Flat(price=1.25)], Clock())
    by_kind = [curve(row["kind"], 3.0, np.log(1.5), 0, row, np.empty(0)) for row in rows]
    assert by_kind == pytest.approx([2.25, 1.25], rel=1e-15)


# --- machine code of the papers' kinds alone


@pytest.mark.compiled
def test_machine_code_of_the_papers_knows_no_other_kinds_and_outlasts_registrations() -> None:
    engine: Any = advance
    of_the_papers = among(engine, of_the_papers=True)
    code, digest, digest_of_all = of_the_papers.machine_code(), of_the_papers.digest(), engine.digest()
    types = numba.typeof(rules_of(Scenario.load("paper")))
    register(Flat)
    assert numba.typeof(rules_of(Scenario.load("paper"))) == types  # has no room for Flat's parameters
    assert engine.digest() != digest_of_all
    assert of_the_papers.digest() == digest
    assert of_the_papers.machine_code() is code
    assert rules_of(Scenario.load("paper")).of_the_papers
    assert not rules_of(hedger_and(Flat(), venue="exchange")).of_the_papers


@pytest.mark.compiled
def test_both_machine_codes_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = Scenario.load("dealers", ["steps=25"])
    first = run_engine(scenario, Tape.draw(scenario, 3, range(2)))
    assert rules_of(scenario).of_the_papers
    monkeypatch.setattr(Slot, "of_the_papers", lambda slot, parts: False)
    assert not rules_of(scenario).of_the_papers
    second = run_engine(scenario, Tape.draw(scenario, 3, range(2)))
    assert_same_bits(first.totals, second.totals)
    assert_same_bits(np.concatenate(first.trades), np.concatenate(second.trades))


# --- hedging against prices of any law


def hedger_and(rival: PricingRule, **hedging: Any) -> Scenario:
    paper = Scenario.load("paper")
    makers = (
        MarketMakerAgent(name="hedger", hedging=AlmgrenChriss(**hedging)),
        MarketMakerAgent(name="rival", pricing=rival, hedging=FullHedge()),
    )
    return paper.replace(makers=makers)


@pytest.mark.compiled
def test_a_rivals_own_curve_is_planned_on_in_every_tier() -> None:
    register(Flat)
    number, tables = plans_of(hedger_and(Flat(), venue="best", horizon=5))
    assert number.shape == (2, 3, 5)
    assert (number[0, 1] >= 0).all()  # against the rival, in each tier
    assert len(set(number[0, 1].tolist())) == 5  # a curve may be another one in each
    assert (number[0, 0] == -1).all()  # not against itself
    assert number[0, 2, 0] >= 0
    assert (number[1] == -1).all()  # who trades all at once plans nothing
    assert tables.least[number[0, 1, 0]] == 1.5


@pytest.mark.compiled
def test_at_one_price_for_every_size_all_is_traded_at_once_for_any_risk() -> None:
    register(Flat)
    number, tables = plans_of(hedger_and(Flat(), horizon=5))
    for size in (1e-3, 0.2, 0.9):
        for risk in (1e-3, 0.1, 10.0):
            first, value = lookup(tables, number[0, 1, 0], size, risk)
            assert first == pytest.approx(1.0, abs=1e-12)
            assert value == pytest.approx(1.5, rel=1e-9)


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_prices_that_are_not_above_0_and_finite_are_refused(price: float) -> None:
    class Priced(PricingRule):
        kind: Literal["priced"] = "priced"

        @staticmethod
        def curve(size: Any, tier: Any) -> Any:
            return np.where((tier == 2) & (size > 50.0), price, 1.0)

    register(Priced)
    with raises(ParameterError, "makers.1.pricing", names=["'priced'", "tier 2", "50.49", f"{price:g} levels"]):
        hedger_and(Priced(), horizon=5, venue="exchange")  # whether or not anybody plans on them


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_nothing_is_planned_on_prices_that_are_not_above_0_and_finite(price: float) -> None:
    with says(ParameterError, "above 0 and finite", "v_max", f"{price:g} levels"):
        curve_table(lambda share: np.where(share > 0.5, price, 1.0), 5)


def test_a_rule_may_refuse_to_be_planned_on() -> None:
    class Secret(Flat):
        kind: Literal["secret"] = "secret"  # type: ignore[assignment]
        unplannable: ClassVar[str] = "it asks whoever calls"

    register(Secret)
    with says(ParameterError, "makers.0.hedging", "'rival'", "it asks whoever calls", "venue = 'exchange'"):
        hedger_and(Secret())


def test_plans_of_many_steps_are_for_powers_of_the_reference_curve_alone() -> None:
    register(Flat)
    with says(ParameterError, "horizon must be at most 100", "got 101"):
        plans_of(hedger_and(Flat(), horizon=101))


# --- machine code by what it does


def digest_of(source: str, **names: Any) -> str:
    """Of a function f of this source."""
    space = dict(names)
    exec(textwrap.dedent(source), space)
    function = space["f"]
    assert isinstance(function, FunctionType)
    return Compiled(function, {}).digest()


PLAIN = "def f(x):\n    return g(x) + 1.0\n"


def test_a_comment_or_a_docstring_changes_no_digest_and_a_number_does() -> None:
    def g(x: float) -> float:
        return 2.0 * x

    def other(x: float) -> float:
        return 3.0 * x

    plain = digest_of(PLAIN, g=g)
    assert digest_of("\n\n# a comment\ndef f(x):\n    # another\n    return g(x) + 1.0\n", g=g) == plain
    documented = 'def f(x):\n    """{}"""\n    return g(x) + 1.0\n'
    assert digest_of(documented.format("One."), g=g) == digest_of(documented.format("Another."), g=g)
    assert digest_of("def f(x):\n    return g(x) + 1.5\n", g=g) != plain
    other.__name__, other.__qualname__ = g.__name__, g.__qualname__
    assert digest_of(PLAIN, g=other) != plain  # what it calls does something else


def test_a_digest_knows_the_formulas_of_registered_kinds_and_the_constants_that_are_named() -> None:
    source = "def f(x):\n    return law(0, x, 0.0, 0, None, None) * c\n"
    law = Law(PRICINGS, "curve")
    before = digest_of(source, law=law, c=1.0)
    assert digest_of(source, law=law, c=2.0) != before
    register(Flat)
    assert digest_of(source, law=law, c=1.0) != before


def test_a_digest_knows_defaults_scalars_modules_and_the_order_of_fields() -> None:
    """Whatever ends up in machine code: Numba freezes all of these."""
    plain = "def f(x):\n    return g(x) + c.pi\n"

    def with_default(value: float) -> FunctionType:
        space: dict[str, Any] = {}
        exec(f"def g(x, n={value}):\n    return n * x\n", space)
        return space["g"]  # type: ignore[no-any-return]

    first, second = ModuleType("c"), ModuleType("c")
    first.pi, second.pi = 3.0, 3.1  # type: ignore[attr-defined]
    g = with_default(2.0)
    before = digest_of(plain, g=g, c=first)
    assert digest_of(plain, g=with_default(2.0), c=first) == before
    assert digest_of(plain, g=with_default(3.0), c=first) != before
    assert digest_of(plain, g=g, c=second) != before
    scalar = "def f(x):\n    return x + c\n"
    assert digest_of(scalar, c=np.int64(2)) != digest_of(scalar, c=np.int64(3))
    made = "def f(x):\n    return P(x, x)\n"
    one, other = NamedTuple("P", [("a", float), ("b", float)]), NamedTuple("P", [("b", float), ("a", float)])
    assert digest_of(made, P=one) != digest_of(made, P=other)


@pytest.mark.compiled
def test_a_law_that_plans_belongs_below_planned_hedging_and_is_then_planned_for() -> None:
    """Else its maker would hedge everything, as one without a table does."""

    class Hasty(TradingPolicy):
        kind: Literal["hasty"] = "hasty"

        @staticmethod
        def law(situation: Any, plan: Any) -> Any:
            return plan(situation, 1.0)

        def schedule(self, position: float, cost: Any, step_volatility: float, largest: float = np.inf) -> Any:
            return np.ones(1)

    class Halved(PlannedHedging):
        kind: Literal["halved"] = "halved"

        @staticmethod
        def law(situation: Any, plan: Any) -> Any:
            return 0.5 * plan(situation, 1.0)

        def schedule(self, position: float, cost: Any, step_volatility: float, largest: float = np.inf) -> Any:
            return np.ones(1)

    with says(ParameterError, "Hasty.law: takes plan"):
        register(Hasty)
    register(Halved)
    paper = Scenario.load("paper", ["makers.0.hedging.kind=halved"])
    assert paper.makers[0].hedging.plans
    assert not ConstantFraction().plans
    number, _ = plans_of(paper)
    assert (number[0, 1] >= 0).all()


def test_parameters_are_names_of_what_a_kind_has() -> None:
    def kind_with(**names: Any) -> type[PricingRule]:
        space = {"__annotations__": {"kind": Literal["odd"]}, "kind": "odd", "__module__": __name__} | names
        return type("Odd", (Flat,), space)

    with says(ParameterError, "Odd.parameters: must be a tuple of names", "'price'"):
        register(kind_with(parameters="price"))
    with says(ParameterError, "'steepness' is neither a field nor a property"):
        register(kind_with(parameters=("steepness",)))
    for taken_already in ("kind", "eps_buy"):
        with says(ParameterError, f"'{taken_already}' is a name that the engine uses itself"):
            register(kind_with(parameters=(taken_already,)))

    class Flagged(OrderSize):  # the engine reads from this name which random number a law takes
        kind: Literal["flagged"] = "flagged"
        parameters: ClassVar = ("uniform",)

        @staticmethod
        def law(draw: float) -> float:
            return 1.0

        def moment(self, order: int, largest: float) -> float:
            return 1.0

        def share_above(self, largest: float) -> float:
            return 0.0

    with says(ParameterError, "'uniform' is a name that the engine uses itself"):
        register(Flagged)

    class Meanless(ReferenceSpread):
        kind: Literal["meanless"] = "meanless"

        @staticmethod
        def first() -> float:
            return 1.0

        law = first

    with says(ParameterError, "Meanless.mean: is missing"):
        register(Meanless)


def test_a_scenario_of_a_class_that_was_defined_anew_says_so() -> None:
    def defined() -> type[Flat]:
        class Anew(Flat):
            kind: Literal["anew"] = "anew"  # type: ignore[assignment]

        Anew.__qualname__ = "Anew"
        return Anew

    former = register(defined())(price=1.0)
    register(defined())
    with says(ParameterError, "Anew was defined anew", "make the scenario again"):
        PRICINGS.number(former)


def test_what_was_registered_tells_apart_two_classes_of_one_name() -> None:
    class Steady(Flat):
        kind: Literal["steady"] = "steady"  # type: ignore[assignment]

    register(Steady)
    (before,) = (name for name in from_outside() if "steady" in name)

    class Steady(Flat):  # type: ignore[no-redef]
        kind: Literal["steady"] = "steady"  # type: ignore[assignment]
        price: float = 2.0

    register(Steady)
    (after,) = (name for name in from_outside() if "steady" in name)
    assert before != after
    assert before.rpartition(" ")[0] == after.rpartition(" ")[0] == "pricing steady"


def test_work_goes_on_with_the_kinds_it_began_with(small: Scenario, tmp_path: Path) -> None:
    folders = [
        RunFolder.create(tmp_path / "run", small, SimulationRunner(small, 2)._meta()),
        ReportFolder.create(tmp_path / "report", [Plan.of(experiment_named("curves"))], seed=0),
        TrainingFolder.create(tmp_path / "training", Training(scenario=small, makers=small.maker_names[:1], steps=100)),
    ]
    for folder in folders:
        folder.make_ready()
    register(Flat)
    for folder in folders:
        with raises(RunFolderError, folder.path, names=["registered"]):
            folder.make_ready()


def test_every_base_of_a_slot_says_its_formulas() -> None:
    for base, formula in ((PricingRule, "curve"), (RankedTiering, "law"), (TradingPolicy, "law")):
        assert formula in base.formulas
    assert set(PlannedHedging.formulas["law"]) - set(TradingPolicy.formulas["law"]) == {"plan"}
