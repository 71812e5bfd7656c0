"""Policies of one's own: accepted wherever one that ships is, with a memory that nobody shares, and registered as kinds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import Field

import dealermarket.runs.chunks
from conftest import assert_same_bits, assert_says, raises, refused
from dealermarket import (
    Action,
    LiveMarket,
    MakerPolicy,
    MarketMakerAgent,
    Observation,
    ParameterError,
    PolicyError,
    PolicySetup,
    Scenario,
    ScenarioError,
    SimulationResult,
    SimulationRunner,
    Tape,
    register,
)
from dealermarket.commands.main import main
from dealermarket.model.makers.policies import POLICIES, Policy, RandomMaker, SkewMaker
from dealermarket.policies import Actor, start
from dealermarket.policies.named import policy_named, with_policies
from dealermarket.policies.starting import ACTORS
from dealermarket.study import Contest
from dealermarket.study.league import maker_totals
from dealermarket.study.study import Study, measure
from dealermarket.values import Value


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Fixed(MakerPolicy):
    """No memory: the same skew at every step; equal to another of the same skew."""

    def __init__(self, eps: float) -> None:
        self.eps = eps

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fixed) and other.eps == self.eps

    def __hash__(self) -> int:
        return hash(self.eps)

    def act(self, observation: Observation) -> Action:
        return Action(eps_buy=self.eps, eps_sell=self.eps)


class Counting(MakerPolicy):
    """Its skew grows with every step that it remembers, and is random besides."""

    def __init__(self) -> None:
        self.actors: list[Count] = []

    def start(self, setup: PolicySetup) -> Actor:
        self.actors.append(Count(setup))
        return self.actors[-1]


class Count:
    def __init__(self, setup: PolicySetup) -> None:
        self.setup, self.steps = setup, 0

    def act(self, observation: Observation) -> Action:
        self.steps += 1
        return Action(eps_buy=0.01 * self.steps, eps_sell=0.1 * self.setup.uniform())


class Fade(Value, MakerPolicy):
    """Leans against the flow of clients that it remembers."""

    kind: Literal["fade"] = "fade"
    strength: Annotated[float, Field(ge=0, le=1)] = 0.2
    names: Annotated[tuple[str, ...], Field(strict=False)] = ()

    def start(self, setup: PolicySetup) -> Actor:
        return Fading(self, len(setup.episodes))


class Fading:
    def __init__(self, policy: Fade, markets: int) -> None:
        self.policy, self.flow = policy, np.zeros(markets)

    def act(self, observation: Observation) -> Action:
        self.flow += observation.bought - observation.sold
        lean = self.policy.strength * np.tanh(self.flow / 10.0)
        return Action(eps_buy=lean, eps_sell=-lean)


def run_with(scenario: Scenario, **policies: Policy) -> pd.DataFrame:
    """The summary of a run with policies handed in, by maker, `_` for a hyphen."""
    handed_in = {name.replace("_", "-"): policy for name, policy in policies.items()}
    return SimulationRunner(scenario, replicas=5, policies=handed_in).run().summary


# --- in a scenario


def test_a_scenario_holds_any_policy_and_runs_as_if_it_were_handed_in(small: Scenario) -> None:
    own = Counting()
    maker, other = small.makers
    scenario = small.replace(makers=(maker, MarketMakerAgent(name=other.name, policy=own)))
    assert scenario.makers[1].policy is own
    assert scenario.policies == {"maker-2": own}
    summary = SimulationRunner(scenario, replicas=5).run().summary
    pd.testing.assert_frame_equal(summary, run_with(small, maker_2=Counting()), check_exact=True)
    assert not summary.equals(SimulationRunner(small, replicas=5).run().summary)
    handed_in = SimulationRunner(scenario, replicas=5, policies={"maker-2": SkewMaker()}).run().summary
    pd.testing.assert_frame_equal(handed_in, run_with(small, maker_2=SkewMaker()), check_exact=True)


def test_every_market_under_way_has_an_actor_of_its_own(small: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Counting()
    scenario = small.with_policies({"maker-1": own, "maker-2": own})
    whole = SimulationRunner(scenario, replicas=5).run().summary
    assert len(own.actors) == 2
    own.actors.clear()
    monkeypatch.setattr(dealermarket.runs.chunks, "_CHUNK_NUMBERS_WITH_POLICIES", 2 * small.steps * 30)  # two replicas a chunk
    pd.testing.assert_frame_equal(SimulationRunner(scenario, replicas=5, threads=3).run().summary, whole, check_exact=True)
    assert len(own.actors) == 2 * 3
    assert {(actor.steps, actor.setup.maker) for actor in own.actors} == {(30, "maker-1"), (30, "maker-2")}
    assert sorted(len(actor.setup.episodes) for actor in own.actors) == [1, 1, 2, 2, 2, 2]


def test_a_live_market_is_that_of_its_scenarios_policies(small: Scenario) -> None:
    scenario, tape = small.with_policies({"maker-1": Counting()}), Tape.draw(small, seed=2)
    live, handed_in = LiveMarket(scenario), LiveMarket(small, policies={"maker-1": Counting()})
    for market in (live, handed_in):
        for t in range(3):
            market.begin(tape.mid[0, t], tape.reference_spread[0, t])
            market.finish([(n, 1, 2.0) for n in range(5)])
    assert live.rewards == handed_in.rewards


def test_scenarios_are_as_equal_as_their_policies(small: Scenario) -> None:
    def holding(policy: Policy) -> Scenario:
        return small.with_policies({"maker-1": policy})

    assert holding(Fixed(0.1)) == holding(Fixed(0.1))
    assert len({holding(Fixed(0.1)), holding(Fixed(0.1)), holding(Fixed(0.2)), small}) == 3
    assert holding(Fade(strength=0.3)) == holding(Fade(strength=0.3)) != holding(Fade())
    own = Counting()
    assert holding(own) == holding(own) != holding(Counting())


def test_settings_leave_a_policy_where_it_is_and_may_replace_it(small: Scenario) -> None:
    own = Counting()
    scenario = small.replace(choices={"steps": "a day", "makers.0.pricing.alpha": "usual"}).with_policies({"maker-1": own})
    changed = scenario.with_settings("makers.*.pricing.alpha=1.1", "steps=12")
    assert changed.makers[0].policy is own
    assert [maker.pricing.alpha for maker in changed.makers] == [1.1, 1.1]  # type: ignore[attr-defined]
    assert changed.choices == {}
    assert scenario.with_settings("makers.1.policy.kind=random").choices == scenario.choices
    assert scenario.values_at("makers.*.policy") == [own, {"kind": "heuristic"}]
    assert scenario.values_at("makers.*.pricing.alpha") == [1.5, 1.5]
    replaced = scenario.with_settings("makers.*.policy.kind=skew", "makers.0.policy.eps=0.1")
    assert replaced.makers[0].policy == SkewMaker(eps=0.1)
    with raises(ScenarioError, "setting 'makers.0.policy.eps=0.1'"):
        scenario.with_settings("makers.0.policy.eps=0.1")


def test_another_policy_takes_the_reasons_for_the_former_one_away(small: Scenario) -> None:
    reasons = {"makers.0.policy": "as in the paper", "makers.1.policy.kind": "too", "steps": "a day"}
    scenario = small.replace(choices=reasons)
    assert scenario.with_policies({"maker-1": Fixed(0.1)}).choices == {"makers.1.policy.kind": "too", "steps": "a day"}
    assert scenario.with_policies({}) == scenario
    assert scenario.with_policies({"maker-1": scenario.makers[0].policy}).choices == reasons
    with raises(ParameterError, "policies", names=["'maker1'", "'maker-1'"]):
        scenario.with_policies({"maker1": Fixed(0.1)})


# --- what cannot be written


@pytest.mark.parametrize("policy", [Fixed(0.1), Fade()])
def test_what_no_file_can_name_says_so_before_anything_is_run(small: Scenario, policy: Policy) -> None:
    name = type(policy).__name__
    own = Counting()
    scenario = small.with_policies({"maker-1": own, "maker-2": policy})
    assert scenario.unregistered_policies == {"maker-1": own, "maker-2": policy}
    with pytest.raises(ScenarioError) as caught:
        scenario.to_toml()
    first, second = str(caught.value).splitlines()
    assert all(part in first for part in ("'maker-1'", "Counting", "dealermarket.register"))
    assert all(part in second for part in ("'maker-2'", name, "Value"))
    runner, folder = SimulationRunner(scenario, replicas=2), Path("a-run")
    for given in ({}, {"tape": Tape.draw(small, replicas=2)}):
        with raises(ScenarioError, "paper", names=["'maker-2'", name]):
            runner.run(out=folder, **given)
    assert not folder.exists()
    assert own.actors == []
    with raises(ScenarioError, "paper", names=["'maker-2'", name]):
        runner.run().save(folder)


def test_a_training_against_what_no_file_can_name_has_neither_a_file_nor_a_key() -> None:
    from dealermarket.learning.training import Training

    training = Training(scenario=Scenario.load("learning").with_policies({"competitor": Fixed(0.1)}), makers=("learner",))
    for asked in (training.to_toml, lambda: training.key):
        with raises(ScenarioError, "learning", names=["'competitor'", "Fixed"]):
            asked()


def test_a_folder_keeps_the_names_of_policies_that_were_handed_in(small: Scenario) -> None:
    runner = SimulationRunner(small, replicas=3, policies={"maker-1": Counting()})
    runner.run(out="a-run")
    loaded = SimulationResult.load("a-run")
    assert (loaded.scenario, loaded.meta["policies"]) == (small, ["maker-1"])
    pd.testing.assert_frame_equal(loaded.summary, runner.run().summary, check_exact=True)


# --- what is no policy


class Forgetful(MakerPolicy):
    """As it was written for an earlier version."""

    def reset(self, setup: PolicySetup) -> None:
        self.before = np.zeros(len(setup.episodes))

    def act(self, observation: Observation) -> Action:
        return Action()


class Idle(MakerPolicy):
    pass


class Nameless(Value, Policy):
    """A value that nothing acts for."""


class Alone(MakerPolicy):
    """Asks for a market of its own before anything runs."""

    def check(self, scenario: Scenario, maker: str) -> None:
        if len(scenario.makers) > 1:
            raise PolicyError(f"policy of {maker!r}: is not alone")

    def act(self, observation: Observation) -> Action:
        return Action()


class StartsNothing(MakerPolicy):
    def start(self, setup: PolicySetup) -> Any:
        self.act(None)  # type: ignore[arg-type]

    def act(self, observation: Observation) -> Action:
        return Action()


@pytest.mark.parametrize(
    ("policy", "field", "names"),
    [
        (Forgetful(), "policy of 'maker-1'", ["Forgetful", "reset", "start(setup)"]),
        (Idle(), "policy of 'maker-1'", ["Idle", "act", "start"]),
        (Nameless(), "policies", ["'maker-1'", "MakerPolicy", "Nameless()"]),
        (Alone(), "policy of 'maker-1'", ["alone"]),
    ],
)
def test_what_cannot_act_is_refused_before_anything_is_run(small: Scenario, policy: Policy, field: str, names: list[str]) -> None:
    with raises(PolicyError, field, names=names):
        SimulationRunner(small, policies={"maker-1": policy})
    scenario = small.with_policies({"maker-1": policy})
    with raises(PolicyError, field, names=names):
        SimulationRunner(scenario)
    with raises(PolicyError, field, names=names):
        LiveMarket(scenario)
    with raises(PolicyError, field, names=names):
        Contest(small, {"mine": policy}, replicas=10)


def test_what_start_returns_must_act(small: Scenario) -> None:
    with raises(PolicyError, "policy of 'maker-1'", "None", names=["start", "act(observation)"]):
        SimulationRunner(small.with_policies({"maker-1": StartsNothing()})).run()


@pytest.mark.parametrize(("given", "value", "names"), [(Fixed, None, ["class Fixed", "instance"]), (3, 3, ["table"])])
def test_a_field_takes_policies_alone(small: Scenario, given: Any, value: object, names: list[str]) -> None:
    with raises(ParameterError, "policy", value, names=names):
        MarketMakerAgent(name="a", policy=given)
    with raises(ParameterError, "makers.0.policy", value, names=names):
        small.with_policies({"maker-1": given})


# --- in studies and leagues


def test_variants_of_a_study_hold_any_policy(small: Scenario, tmp_path: Path) -> None:
    policies: dict[str, Policy] = {"a": Fixed(0.1), "b": Fixed(0.4), "c": Counting(), "d": SkewMaker()}
    variants = {label: small.with_policies({"maker-1": policy}) for label, policy in policies.items()}
    study = Study("mine", variants | {"a again": variants["a"]}, 5, observe=_first_maker)
    assert len(study.distinct) == 4
    measures = measure([study], seed=0, keep=tmp_path)["mine"]
    for label, policy in policies.items():
        expected = run_with(small, maker_1=policy)
        assert_same_bits(measures[label]["pnl"], expected.loc[expected["maker"] == "maker-1", "pnl"].to_numpy())
    assert_same_bits(measures["a again"]["pnl"], measures["a"]["pnl"])
    assert not study.can_be_kept
    assert list(tmp_path.iterdir()) == []  # nobody could tell next time whether it is the same
    others = Study("others", {"a": small.with_policies({"maker-1": Fixed(0.4)})}, 5, observe=_first_maker)
    first = Study("first", {"a": variants["a"]}, 5, observe=_first_maker)
    assert others.key(0) != first.key(0)  # both are Fixed and in no file
    together = measure([first, others], seed=0)
    assert not np.array_equal(together["first"]["a"]["pnl"], together["others"]["a"]["pnl"])


def _first_maker(scenario: Scenario, chunk: Any) -> dict[str, Any]:
    return maker_totals(scenario, chunk, 0)


# --- registered


def test_every_kind_that_ships_has_an_actor(small: Scenario) -> None:
    assert set(ACTORS) == set(POLICIES.kinds.values())


@pytest.mark.usefixtures("lists_as_they_were")
def test_a_registered_policy_is_a_kind_like_those_that_ship(small: Scenario, tmp_path: Path) -> None:
    register(Fade)
    named = small.with_settings("makers.1.policy.kind=fade", "makers.1.policy.strength=0.5")
    assert named.makers[1].policy == Fade(strength=0.5)
    assert named == small.with_policies({"maker-2": Fade(strength=0.5)}) == with_policies(small, ["1=fade:strength=0.5"])
    assert Scenario.from_toml(named.to_toml()) == named
    assert named.unregistered_policies == {}
    listed = small.with_policies({"maker-2": Fade(names=("a", "b"))})
    assert Scenario.from_toml(listed.to_toml()) == listed == listed.with_settings()
    assert policy_named("fade:strength=0.5") == Fade(strength=0.5)
    with raises(ParameterError, "policy 'fade:strength=2': strength", 2, names=["<= 1"]):
        policy_named("fade:strength=2")
    with raises(ScenarioError, "makers.1.policy.strength", -1.0, names=[">= 0"]):
        small.with_settings("makers.1.policy={kind='fade', strength=-1.0}")
    expected = run_with(small, maker_2=Fade(strength=0.5))
    SimulationRunner(named, replicas=5).run(out="a-run")
    loaded = SimulationResult.load("a-run")
    assert loaded.scenario == named
    pd.testing.assert_frame_equal(loaded.summary, expected, check_exact=True)
    study = Study("kept", {"fading": named}, 5, observe=_first_maker)
    assert study.can_be_kept
    measured = measure([study], seed=0, keep=tmp_path / "kept")["kept"]["fading"]
    assert len(list((tmp_path / "kept").iterdir())) == 1
    assert_same_bits(measured["pnl"], expected.loc[expected["maker"] == "maker-1", "pnl"].to_numpy())


@pytest.mark.usefixtures("lists_as_they_were")
def test_commands_know_a_registered_policy(capsys: pytest.CaptureFixture[str], small: Scenario) -> None:
    register(Fade)
    Path("mine.toml").write_text(small.with_policies({"maker-1": Fade()}).to_toml())
    assert main(["run", "mine.toml", "--policy", "maker-2=fade:strength=0.5", "--replicas", "5", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    summary = run_with(small, maker_1=Fade(), maker_2=Fade(strength=0.5)).groupby("maker")["pnl"].mean()
    for maker, mean in summary.items():
        assert shown["makers"][maker]["pnl"]["mean"] == pytest.approx(mean, rel=1e-12)
    options = ["--scenario", "mine.toml", "--maker", "maker-2", "--replicas", "10", "--threads", "1", "--json"]
    assert main(["evaluate", "fade:strength=0.5", "heuristic", *options]) == 0
    policies = {entry["label"]: entry["policy"] for entry in json.loads(capsys.readouterr().out)["policies"]}
    assert policies["fade:strength=0.5"] == {"kind": "fade", "strength": 0.5, "names": []}
    assert_says(refused(capsys, "run", "mine.toml", "--policy", "maker-2=fad"), "policy 'fad'", names=["'fade'"])


@pytest.mark.usefixtures("lists_as_they_were")
def test_environments_know_a_registered_policy_and_hold_any() -> None:
    envs = pytest.importorskip("dealermarket.envs")
    register(Fade)
    learning = Scenario.load("learning", ["steps=6", "reward_horizon=2"])

    def rewards(scenario: Scenario, policies: dict[str, Any] | None = None) -> list[float]:
        env = envs.DealerEnv(scenario, "learner", policies=policies)
        env.reset(seed=3)
        return [env.step(np.zeros(3))[1] for _ in range(6)]

    named = rewards(learning, {"competitor": "fade:strength=0.5"})
    assert named == rewards(learning, {"competitor": Fade(strength=0.5)})
    assert named == rewards(learning.with_policies({"competitor": Fade(strength=0.5)}))
    assert named != rewards(learning)
    assert rewards(learning.with_policies({"competitor": Counting(), "learner": Counting()})) == rewards(
        learning, {"competitor": Counting()}
    )


def test_what_is_registered_must_be_a_value_with_a_name() -> None:
    class Unnamed(Value, MakerPolicy):
        def act(self, observation: Observation) -> Action:
            return Action()

    with raises(ParameterError, "policy", names=["Fixed", "dealermarket.values.Value"]):
        register(Fixed)
    with raises(ParameterError, "policy", names=["Unnamed", "name"]):
        register(Unnamed)
    assert Unnamed not in POLICIES.kinds.values()


def test_a_policy_may_start_another(small: Scenario) -> None:
    class Behind(MakerPolicy):
        def start(self, setup: PolicySetup) -> Actor:
            return start(RandomMaker(low=-0.2, high=0.2), setup)

    behind, random = (run_with(small, maker_1=policy) for policy in (Behind(), RandomMaker(low=-0.2, high=0.2)))
    pd.testing.assert_frame_equal(behind, random, check_exact=True)
