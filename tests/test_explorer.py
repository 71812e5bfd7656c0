"""What the live page is answered: its controls, its numbers, its texts, and what may be asked for."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import raises
from dealermarket import ParameterError, RunFolderError, Scenario, ScenarioError, SimulationRunner
from dealermarket.commands.main import main
from dealermarket.explorer.answers import Answers
from dealermarket.explorer.asked import AddedMaker, State, Variant
from dealermarket.explorer.opened import SweepMap, opened
from dealermarket.explorer.panels import PANELS
from dealermarket.explorer.simulation import Simulations
from dealermarket.explorer.variants import Variants
from dealermarket.policies.named import with_policies
from dealermarket.study import compare

SMALL = ("steps=12", "reward_horizon=2")
ALPHA = "makers.maker-1.pricing.alpha"


def answers_of(source: str = "paper", *settings: str) -> Answers:
    return Answers(opened(source, (*SMALL, *settings)))


def state_of(answers: Answers, **fields: Any) -> State:
    return answers.opened.state.replace(replicas=7, **fields)


def shown(answers: Answers, state: State, *names: str, batches: tuple[int, ...] = (3, 7)) -> dict[str, Any]:
    asked = answers.asked(state)
    told = [answers.panels(asked, replicas, names or PANELS) for replicas in batches]
    return json.loads(json.dumps(told[-1], allow_nan=False))


# --- numbers


def test_numbers_are_those_of_a_run_however_many_batches_they_came_in() -> None:
    answers = answers_of("dealers")
    state = state_of(answers, settings={"makers.tight.pricing.alpha": 1.3}, seed=5, replica=4)
    told = shown(answers, state)
    scenario = Scenario.load("dealers", [*SMALL, "makers.tight.pricing.alpha=1.3"])
    result = SimulationRunner(scenario, 7, 5, record="steps").run()
    expected = result.statistics()
    names = [statistic["name"] for statistic in told["makers"]["statistics"]]
    for row in told["makers"]["rows"]:
        for name, estimate in zip(names, row["now"], strict=True):
            wanted = expected[row["maker"]][name]
            for part in ("value", "low", "high"):
                number = float(getattr(wanted, part))
                assert estimate[part] == (number if np.isfinite(number) else None)
    path = result.steps.query("replica == 4 and maker == 'tight'")["position"].to_numpy()
    assert told["position"]["makers"][0]["path"] == pytest.approx(path, rel=1e-5)
    per_step = result.steps.query("maker == 'tight'").groupby("step")
    total = sum(per_step[part["name"]].sum() for part in told["rewards"]["makers"][0]["parts"]).cumsum() / 7
    assert told["rewards"]["makers"][0]["total"] == pytest.approx(total.to_numpy(), rel=1e-5)
    assert sum(told["pnl"]["counts"]) == 7
    assert told["markouts"]["replicas"] == 7


def test_differences_to_what_is_pinned_are_paired() -> None:
    answers = answers_of()
    told = shown(answers, state_of(answers, settings={ALPHA: 1.2}, pin=Variant()), "makers")
    scenario = Scenario.load("paper", SMALL)
    comparison = compare(scenario, scenario.with_settings(f"{ALPHA}=1.2"), replicas=7)
    for number, name in enumerate(statistic["name"] for statistic in told["makers"]["statistics"]):
        wanted = comparison.by_statistic[name].difference
        for row, maker in zip(told["makers"]["rows"], range(2), strict=True):
            low = float(wanted.low[maker])
            assert row["difference"][number]["low"] == (low if np.isfinite(low) else None)


def test_a_maker_that_only_one_market_has_has_no_difference() -> None:
    answers = answers_of()
    added = (AddedMaker(name="third", like="maker-2"),)
    told = shown(answers, state_of(answers, added=added, removed=("maker-1",), pin=Variant()))
    rows = {row["maker"]: row for row in told["makers"]["rows"]}
    assert list(rows) == ["maker-2", "third"]
    assert rows["third"]["difference"] is None
    assert rows["maker-2"]["difference"] is not None
    assert told["pnl"]["maker"] == "maker-2"  # the one asked for is not there


def test_quotes_are_those_of_the_makers_and_of_the_exchange() -> None:
    answers = answers_of("fx")
    prices = shown(answers, state_of(answers, settings={"makers.core.tiering.tiers": 2}), "prices")["prices"]
    scenario = answers.opened.scenario.with_settings("makers.core.tiering.tiers=2")
    core, sizes, s0 = scenario.makers[0], np.array(prices["sizes"]), scenario.market.mean_spread
    assert [tier["tier"] for tier in prices["makers"][0]["tiers"]] == [0, 1]
    for tier in prices["makers"][0]["tiers"]:
        assert tier["spread"] == pytest.approx(1e4 * core.pricing.spread(sizes, tier["tier"], s0, scenario.exchange), rel=1e-4)
    assert prices["exchange"] == pytest.approx(1e4 * scenario.exchange.reference_spread(sizes, s0), rel=1e-4)


@pytest.mark.compiled
def test_a_step_is_told_as_the_command_tells_it() -> None:
    answers = answers_of()
    state = state_of(answers, replica=2, step=9)
    told = answers.traced(state)
    trace = SimulationRunner(Scenario.load("paper", SMALL), 3).run().trace(2, 9)
    assert told["trace"]["mid"] == trace.mid
    assert told["mids"][9] == trace.mid
    assert [request["size"] for request in told["trace"]["requests"]] == [request.size for request in trace.requests]
    json.dumps(told, allow_nan=False)


def test_tiers_are_those_of_the_replica_that_is_shown() -> None:
    answers = answers_of("dealers", "steps=40")
    told = [shown(answers, state_of(answers, replica=replica), "tiers")["tiers"] for replica in (0, 6)]
    assert [each["replica"] for each in told] == [0, 6]
    assert told[0]["tiers"] != told[1]["tiers"]
    assert {tier for each in told for row in each["tiers"] for tier in row} <= set(range(told[0]["count"]))


# --- what can be changed


@pytest.mark.parametrize("preset", ["paper", "bonds", "contagion", "dealers", "fx", "informed", "learning"])
def test_a_control_set_to_its_own_value_changes_nothing(preset: str) -> None:
    what = opened(preset)
    variants = Variants(what)
    market = variants.market(Variant())
    controls = [control for group in market.groups for control in group.controls if control.kind != "fixed"]
    assert controls
    for control in controls:
        if control.path.endswith(".policy"):
            continue  # naming it anew gives the defaults of its kind
        assert control.value == control.was
        kept = variants.market(Variant(settings={control.path: control.value})).scenario
        assert kept == what.scenario, control.path


def test_a_change_is_seen_beside_what_was() -> None:
    market = Variants(opened("paper")).market(Variant(settings={ALPHA: 1.2, "makers.maker-2.hedging.kind": "none"}))
    controls = {control.path: control for group in market.groups for control in group.controls}
    alpha = controls[ALPHA]
    assert (alpha.value, alpha.was) == (1.2, 1.5)
    assert (alpha.least, alpha.most) == (0, 10)
    assert alpha.low <= 1.2
    assert alpha.high >= 1.5
    assert controls["makers.maker-2.hedging.kind"].was == "optimal"
    assert "makers.maker-2.hedging.risk_aversion" not in controls  # that kind has none
    assert "makers.maker-1.hedging.risk_aversion" in controls


@pytest.mark.parametrize("preset", ["paper", "fx", "learning"])
def test_every_choice_is_a_market_or_an_error_of_its_field(preset: str) -> None:
    variants = Variants(opened(preset, SMALL))
    controls = [control for group in variants.market(Variant()).groups for control in group.controls]
    for control in controls:
        for choice in control.choices:
            with contextlib.suppress(ParameterError):  # a kind may not fit the others, and says so
                variants.market(Variant(settings={control.path: choice.name}))


@pytest.mark.parametrize(
    "settings",
    [
        {"market.mid_price.file": "/etc/passwd"},
        {"name": "other"},
        {"makers.maker-1.policy.file": "/etc/passwd"},
        {"makers.*.pricing.alpha": 1.2},
        {"makers.maker-1.pricing": "x"},
        {"orders.file": "x.csv"},
    ],
)
def test_what_has_no_control_cannot_be_changed(settings: dict[str, Any]) -> None:
    (path,) = settings
    with raises(ParameterError, path):
        Variants(opened("paper")).market(Variant(settings=settings))


@pytest.mark.parametrize("value", ["1.2", "{}", "[1.2, 1.3]", "1\nname = 'x'", True])
def test_a_number_is_no_text_that_a_setting_would_read(value: Any) -> None:
    with raises(ParameterError, ALPHA):
        Variants(opened("paper")).market(Variant(settings={ALPHA: value}))


def test_all_problems_are_named_as_the_controls_are() -> None:
    settings = {ALPHA: -1.0, "makers.maker-2.hedging.risk_aversion": -2.0}
    with raises(ParameterError, ALPHA, "-1.0") as caught:
        Variants(opened("paper")).market(Variant(settings=settings))
    assert str(caught.value).splitlines()[1].startswith("makers.maker-2.hedging.risk_aversion: ")


def test_of_a_thousand_problems_the_first_are_named() -> None:
    with raises(ParameterError, "x.0") as caught:
        Variants(opened("paper")).market(Variant(settings={f"x.{number}": 1 for number in range(1000)}))
    assert len(str(caught.value).splitlines()) == 20


@pytest.mark.parametrize(
    ("fields", "path", "value"),
    [
        ({"replicas": 10**9}, "replicas", "1,000,000,000"),
        ({"settings": {"steps": 10**9}}, "steps", None),
        ({"settings": {"investors.investor.count": 90_000}}, "investors", "90,000"),
    ],
)
def test_more_than_a_page_should_wait_for_is_refused(fields: dict[str, Any], path: str, value: str | None) -> None:
    answers = answers_of()
    with raises(ParameterError, path, names=["dealermarket", *([value] if value else [])]):
        answers.asked(answers.opened.state.replace(**fields))


def test_a_market_is_opened_with_as_many_replicas_as_it_may_have() -> None:
    large = opened("dealers", ["steps=20000"])
    assert large.state.replicas == 50
    Answers(large).asked(large.state)
    with raises(ParameterError, "steps", names=["dealermarket"]):
        opened("dealers", ["steps=1000000"])


def test_markets_asked_for_long_ago_are_forgotten() -> None:
    scenario, kept = Scenario.load("paper", SMALL), Simulations(most_cells=12 * 2 * 10, most=3)
    simulations = [kept.of(scenario, seed) for seed in range(3)]
    for simulation in simulations:
        simulation.run_to(5)
    assert kept.of(scenario, 2) is simulations[2]
    kept.of(scenario, 3)
    assert kept.of(scenario, 0) is not simulations[0]


def test_the_next_values_of_a_slider_are_known_before_they_are_asked_for() -> None:
    answers = answers_of()
    last, state = (state_of(answers, settings={ALPHA: alpha}) for alpha in (1.22, 1.21))
    ahead = [scenario.makers[0].pricing.alpha for scenario in answers.next_markets(last, state, ALPHA)]
    assert ahead == [1.2, 1.19, 1.22]
    answers.build_ahead(answers.next_markets(last, state, ALPHA)[0], state.seed)
    assert answers.next_markets(last, state, "makers.maker-1.hedging.kind") == []


# --- the same in other words


CHANGED = {
    "settings": {ALPHA: 1.2, "makers.maker-2.hedging.kind": "fraction", "makers.maker-2.hedging.fraction": 0.25, "steps": 10},
    "replicas": 3,
    "seed": 4,
}


def test_the_texts_describe_the_same_market() -> None:
    answers = Answers(opened("paper"))
    state = State(**CHANGED)
    scenario, texts = answers.asked(state).now.scenario, answers.texts(state)
    assert Scenario.from_toml(texts["toml"]) == scenario
    python: dict[str, Any] = {}
    exec(texts["python"], python)
    assert python["scenario"] == scenario
    assert python["result"].meta["replicas"] == 3
    words = shlex.split(texts["command"])
    assert words[:3] == ["dealermarket", "run", "paper"]
    settings = [words[n + 1] for n, word in enumerate(words) if word == "--set"]
    assert Scenario.load("paper", settings) == scenario
    assert words[-4:] == ["--replicas", "3", "--seed", "4"]


def test_the_texts_know_policies_and_makers_that_were_added() -> None:
    answers = Answers(opened("paper"))
    policy = {"settings": {"makers.maker-1.policy": "adaptive"}}
    words = shlex.split(answers.texts(State(**policy))["command"])
    named = [words[n + 1] for n, word in enumerate(words) if word == "--policy"]
    assert with_policies(Scenario.load("paper"), named) == answers.asked(State(**policy)).now.scenario
    python: dict[str, Any] = {}
    exec(answers.texts(State(**policy, replicas=2, seed=0))["python"], python)
    assert python["scenario"] == answers.asked(State(**policy)).now.scenario
    state = State(**CHANGED, added=(AddedMaker(name="new", like="maker-1"),), removed=("maker-1",))
    changed = state.replace(settings={key: value for key, value in state.settings.items() if key != ALPHA})
    exec(answers.texts(changed)["python"], python)
    assert python["scenario"] == answers.asked(changed).now.scenario


def test_the_texts_hold_what_the_page_was_started_with() -> None:
    answers = Answers(opened("paper", SMALL, ["maker-2=random"]))
    fields = {"makers.maker-2.policy.low": -0.5, "makers.maker-1.policy": "adaptive", "makers.maker-1.policy.eta": 0.25}
    state = State(settings={ALPHA: 1.2, **fields}, replicas=2)
    scenario, texts = answers.asked(state).now.scenario, answers.texts(state)
    python: dict[str, Any] = {}
    exec(texts["python"], python)
    assert python["scenario"] == scenario
    words = shlex.split(texts["command"])
    settings, policies = ([words[n + 1] for n, word in enumerate(words) if word == option] for option in ("--set", "--policy"))
    assert with_policies(Scenario.load("paper", settings), policies) == scenario


def test_the_texts_know_odd_names(tmp_path: Path) -> None:
    names = ('it\'s "quoted"\n$(x)', "a.b=c")
    paper = Scenario.load("paper", SMALL)
    makers = [maker.replace(name=name) for maker, name in zip(paper.makers, names, strict=True)]
    file = tmp_path / "it's a market.toml"
    file.write_text(paper.replace(makers=makers).to_toml(), encoding="utf-8")
    answers = Answers(opened(str(file)))
    alpha, policy = f"makers.{names[0]}.pricing.alpha", "makers.1.policy"
    state = State(settings={alpha: 1.2, policy: "random"}, replicas=2)
    scenario, texts = answers.asked(state).now.scenario, answers.texts(state)
    assert scenario.makers[0].pricing.alpha == 1.2
    python: dict[str, Any] = {}
    exec(texts["python"], python)
    assert python["scenario"] == scenario
    words = shlex.split(texts["command"])
    settings, policies = ([words[n + 1] for n, word in enumerate(words) if word == option] for option in ("--set", "--policy"))
    assert with_policies(Scenario.load(words[2], settings), policies) == scenario


def test_the_run_is_written_as_the_command_writes_it(tmp_path: Path) -> None:
    answers = answers_of()
    answers.write_run(state_of(answers, settings={ALPHA: 1.2}), tmp_path / "run")
    again = Scenario.load("paper", [*SMALL, f"{ALPHA}=1.2"])
    SimulationRunner(again, 7, record="trades").run(tmp_path / "expected")
    for name in ("scenario.toml", "summary.parquet", "steps.parquet", "trades.parquet"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "expected" / name).read_bytes()


# --- what it opens


def test_a_run_is_opened_with_its_seed(tmp_path: Path) -> None:
    SimulationRunner(Scenario.load("paper", SMALL), 3, 9).run(tmp_path / "run")
    what = opened(str(tmp_path / "run"))
    assert (what.kind, what.state.replicas, what.state.seed) == ("run", 3, 9)
    assert what.scenario == Scenario.load("paper", SMALL)
    with raises(ScenarioError, tmp_path / "none"):
        opened(str(tmp_path / "none"))
    with raises(RunFolderError, tmp_path):
        opened(str(tmp_path))


def test_a_run_that_cannot_be_repeated_is_refused(tmp_path: Path) -> None:
    scenario = Scenario.load("paper", SMALL)
    policy = scenario.makers[0].policy
    SimulationRunner(scenario, 2, policies={"maker-1": policy}).run(tmp_path / "run")
    with raises(RunFolderError, tmp_path / "run"):
        opened(str(tmp_path / "run"))


def test_a_sweep_is_a_map_whose_points_can_be_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vary = ["--vary", f"{ALPHA}=1.2,1.4", "--vary", "makers.maker-1.hedging.risk_aversion=0.1,0.2,0.3"]
    small = ["--steps", "12", "--replicas", "3", "--set", "reward_horizon=2", "--seed", "3"]
    assert main(["sweep", "paper", *vary, *small, "--out", str(tmp_path / "sweep")]) == 0
    capsys.readouterr()
    answers = Answers(opened(str(tmp_path / "sweep")))
    told = answers.first()["sweep"]
    assert answers.opened.state.seed == 3
    assert [field["values"] for field in told["fields"]] == [[1.2, 1.4], [0.1, 0.2, 0.3]]
    state = answers.opened.state.replace(**answers.point(4)["state"])
    assert dict(state.settings) == {ALPHA: 1.4, "makers.maker-1.hedging.risk_aversion": 0.2}
    made = shown(answers, state, "makers", batches=(3,))["makers"]
    number = next(n for n, each in enumerate(made["statistics"]) if each["name"] == "pnl")
    measure = next(each for each in told["measures"] if each["name"] == "pnl")
    assert made["rows"][0]["now"][number]["value"] == pytest.approx(measure["values"][4], rel=1e-5)
    with raises(ParameterError, "point", 6):
        answers.point(6)


def test_of_a_point_what_is_as_opened_is_no_change() -> None:
    what = opened("paper")
    sweep = SweepMap((ALPHA, "makers.maker-1.hedging.kind"), ((1.2, 1.5), ("none", "optimal")), ((0, 1), (1, 0)), "maker-1", {})
    answers = Answers(dataclasses.replace(what, sweep=sweep))
    assert [answers.point(point)["state"]["settings"] for point in (0, 1)] == [
        {ALPHA: 1.2},
        {"makers.maker-1.hedging.kind": "none"},
    ]


def test_a_point_of_all_makers_or_of_one_by_number_sets_their_controls() -> None:
    paths = ("makers.*.pricing.alpha", "makers.1.hedging.risk_aversion", "makers.1.hedging.kind", "makers.1.hedging.fraction")
    sweep = SweepMap(paths, ((1.2,), (0.5,), ("optimal",), (0.5,)), ((0, 0, 0, 0),), "maker-1", {})
    answers = Answers(dataclasses.replace(opened("paper"), sweep=sweep))
    second = {"makers.maker-2.hedging.risk_aversion": 0.5, "makers.maker-2.hedging.fraction": 0.5}
    assert answers.point(0)["state"]["settings"] == {ALPHA: 1.2, "makers.maker-2.pricing.alpha": 1.2} | second


def test_an_unanswered_sweep_is_refused(tmp_path: Path) -> None:
    from dealermarket.questions.folder import QuestionFolder

    QuestionFolder.create(tmp_path / "sweep", "sweep", Scenario.load("paper"), {"replicas": 2, "seed": 0}).close()
    with raises(RunFolderError, tmp_path / "sweep"):
        opened(str(tmp_path / "sweep"))


def test_a_calibration_shows_why_its_values_are_what_they_are(tmp_path: Path) -> None:
    scenario = Scenario.load("paper").replace(choices={ALPHA: "1.5, 95 % interval 1.4 to 1.6: from its quotes"})
    (tmp_path / "desk.toml").write_text(scenario.to_toml(), encoding="utf-8")
    first = Answers(opened(str(tmp_path / "desk.toml"))).first()
    assert first["kind"] == "calibration"
    assert first["calibration"]["rows"] == [{"path": ALPHA, "value": "1.5", "why": scenario.choices[ALPHA]}]


def test_trained_policies_are_those_of_the_folder_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = tmp_path / "outside.npz"
    outside.write_bytes(b"no policy")
    here = tmp_path / "here"
    (here / "maker").mkdir(parents=True)
    (here / "maker" / "policy.npz").write_bytes(b"")
    (here / "own.npz").write_bytes(b"")
    (here / "link.npz").symlink_to(outside)
    monkeypatch.chdir(here)
    what = opened("paper")
    files = [policy.name for policy in what.policies if policy.name.endswith(".npz")]
    assert files == [os.path.join("maker", "policy.npz"), "own.npz"]
    for name in ("../outside.npz", str(outside), "link.npz"):
        with raises(ParameterError, "makers.maker-1.policy"):
            Variants(what).market(Variant(settings={"makers.maker-1.policy": name}))
