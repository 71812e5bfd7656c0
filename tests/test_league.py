"""The league of policies, policies as they are typed, and the options of the command that take them."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from conftest import assert_same_bits, assert_says, raises, refused
from dealermarket import ParameterError, PolicyError, Scenario, SimulationResult, SimulationRunner, __version__
from dealermarket.commands.evaluate import as_data, labelled
from dealermarket.commands.league_table import explanation, league_tables
from dealermarket.commands.main import main
from dealermarket.policies import (
    POLICIES,
    Action,
    HeuristicMaker,
    MakerPolicy,
    Observation,
    PersistentMaker,
    PolicySetup,
    RandomMaker,
    SkewMaker,
    TrainedMaker,
)
from dealermarket.policies.controls import Controls
from dealermarket.policies.features import FEATURES
from dealermarket.policies.named import policy_named, with_policies
from dealermarket.policies.policy_file import Network, TrainedPolicy
from dealermarket.runs import chunks
from dealermarket.runs.folder import RunFolder
from dealermarket.runs.statistics import REWARDS, SHIPPED, ranking_statistics
from dealermarket.study import Contest, League

NAMES = [statistic.name for statistic in SHIPPED if statistic.weight is None]  # the others are ratios of sums
LABELS = ("heuristic", "random", "skew:strength=0.4,scale=3")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """Small and quick, with hedges and tiers."""
    return Scenario.load("paper", ["steps=12", "reward_horizon=2"])


@pytest.fixture(scope="module")
def league(scenario: Scenario) -> League:
    return Contest(scenario, {label: policy_named(label) for label in LABELS}, "maker-2", replicas=12, seed=3).run()


def made_up(contest: Contest, totals: dict[str, np.ndarray]) -> League:
    """A league of given P&L; of everything else there is one unit a replica."""
    samples = {
        label: {name: values if name == "pnl" else np.ones_like(values) for name in NAMES} for label, values in totals.items()
    }
    contest.policies = dict.fromkeys(totals, HeuristicMaker())
    return League(contest, samples)


def saved_policy(file: str, bias: float = 0.0) -> TrainedPolicy:
    """A trained policy that always does the same."""
    controls = Controls()
    outputs = len(controls.names)
    network = Network.of([(np.zeros((len(FEATURES), outputs)), np.full(outputs, bias))], outputs)
    trained = TrainedPolicy(network, controls, {"made": "by hand"})
    trained.save(file)
    return trained


# --- numbers


def test_numbers_are_those_of_runs(scenario: Scenario, league: League, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_CHUNK_NUMBERS", scenario.steps * 30 * 5)  # chunks of 5 replicas
    policies = {label: policy_named(label) for label in LABELS}
    again = Contest(scenario, policies, "1", replicas=12, seed=3).run(threads=2)
    for label, policy in policies.items():
        run = SimulationRunner(scenario.with_policies({"maker-2": policy}), replicas=12, seed=3).run().summary
        own = run[run.maker == "maker-2"]
        measures = league.samples[label]
        for name in (*REWARDS, "total_reward", "pnl", "market_share", "mean_abs_position", "hedge_volume"):
            assert_same_bits(measures[name], own[name].to_numpy())
        np.testing.assert_allclose(measures["inventory_pnl"], own.pnl - own.spread_revenue - own.hedging_cost, rtol=1e-15)
        np.testing.assert_allclose(
            measures["last_abs_position"], own.internalization * (own.volume + own.hedge_volume), rtol=1e-14
        )
        for name in NAMES:
            assert_same_bits(measures[name], again.samples[label][name])


def test_differences_are_paired(league: League) -> None:
    best, *others = league.standings(by="pnl")
    assert [float(standing.mean["pnl"].value) for standing in (best, *others)] == sorted(
        (float(measures["pnl"].mean()) for measures in league.samples.values()), reverse=True
    )
    quantile = stats.t.ppf(1 - 0.05 / 3 / 2, 11)  # three pairs of policies
    for standing in others:
        for name in NAMES:
            pairs = league.samples[standing.label][name] - league.samples[best.label][name]
            estimate = standing.difference[name]
            assert estimate.value == pytest.approx(pairs.mean(), rel=1e-12)
            half = quantile * pairs.std(ddof=1) / math.sqrt(12)
            assert (estimate.low, estimate.high) == pytest.approx((pairs.mean() - half, pairs.mean() + half), rel=1e-9)
            own = np.sort(league.samples[standing.label][name])
            assert standing.deviation[name] == pytest.approx(own.std(ddof=1))
            assert standing.tail[name] == pytest.approx(own[0] + 0.05 * 11 * (own[1] - own[0]))  # of 12
    assert best.difference["pnl"].low == best.difference["pnl"].high == 0.0


def test_with_two_policies_a_difference_has_a_95_percent_interval(scenario: Scenario) -> None:
    contest = Contest(scenario, {"a": HeuristicMaker()}, replicas=10)
    noise = np.random.default_rng(0).normal(size=20)
    (_, second) = made_up(contest, {"a": noise, "b": noise[::-1] - 1}).standings()
    pairs = noise[::-1] - 1 - noise
    low, high = stats.t.interval(0.95, 19, pairs.mean(), pairs.std(ddof=1) / math.sqrt(20))
    assert (second.difference["pnl"].low, second.difference["pnl"].high) == pytest.approx((low, high))


def test_order_ranks_and_ties(scenario: Scenario) -> None:
    contest = Contest(scenario, {"a": HeuristicMaker()}, replicas=10)
    generator = np.random.default_rng(1)
    shared = 100 * generator.normal(size=40)  # what all have in common takes no part in a difference
    noise = [generator.normal(size=40) for _ in range(5)]
    totals = {
        "worst": shared - 9 + noise[0],
        "best": shared + 9 + noise[1],
        "nearly": shared + 9 - 0.05 + noise[1] + 0.3 * noise[2],
        "third": shared + noise[3],
        "twin": shared + noise[3],
        "unknown": np.full(40, np.nan),
    }
    league = made_up(contest, totals)
    standings = league.standings()
    assert [(standing.label, standing.rank, standing.shared) for standing in standings if standing.label != "unknown"] == [
        ("best", 1, True),
        ("nearly", 1, True),
        ("third", 3, True),
        ("twin", 3, True),
        ("worst", 5, False),
    ]
    assert standings[-1].label == "unknown"
    assert math.isnan(float(standings[-1].difference["pnl"].value))
    differences = {standing.label: standing.difference["pnl"] for standing in league.standings(against="third")}
    assert float(differences["best"].value) == pytest.approx((totals["best"] - totals["third"]).mean())
    assert differences["twin"].low == differences["twin"].high == 0
    assert differences["best"].low > 0 > differences["worst"].high


def test_who_has_no_clients_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    """Doing nothing has the better total reward, as the risk of an inventory counts there: P&L ranks where nothing is named."""
    policies = {"dear": PersistentMaker(low=1.0, high=1.0), "heuristic": HeuristicMaker()}
    league = Contest(Scenario.load("learning"), policies, replicas=200).run()
    assert [(each.label, each.no_clients) for each in league.standings()] == [("heuristic", False), ("dear", True)]
    assert [each.label for each in league.standings("total_reward")] == ["dear", "heuristic"]
    for table in league_tables(league, "pnl", None, 140):
        Console(width=140, markup=False).print(table)
    shown = capsys.readouterr().out
    assert "dear (no clients)" in shown
    assert "heuristic (no" not in shown
    marked = {entry["label"]: entry["no_clients"] for entry in as_data(league, "pnl", None)["policies"]}
    assert marked == {"dear": True, "heuristic": False}


def test_the_same_policy_twice_is_run_once(scenario: Scenario) -> None:
    entered = labelled([("random", RandomMaker()), ("random", RandomMaker()), ("random (2)", RandomMaker())])
    assert list(entered) == ["random", "random (2)", "random (2) (2)"]
    contest = Contest(scenario, entered, replicas=10)
    assert contest.market_steps == 10 * 12
    reported: list[int] = []
    standings = contest.run(progress=reported.append).standings()
    assert sum(reported) == contest.market_steps
    assert [(standing.rank, standing.shared) for standing in standings] == [(1, True)] * 3


class Bold(MakerPolicy):
    """Quotes a little better than everybody after a loss; remembers the last position."""

    def start(self, setup: PolicySetup) -> Boldness:
        return Boldness(setup)


class Boldness:
    def __init__(self, setup: PolicySetup) -> None:
        self.before = np.zeros(len(setup.episodes))

    def act(self, observation: Observation) -> Action:
        grown = np.abs(observation.position) > np.abs(self.before)
        self.before = observation.position
        return Action(eps_buy=np.where(grown, 0.4, -0.2), eps_sell=-0.1, hedge_fraction=0.5)


def test_a_policy_of_ones_own_takes_part(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_CHUNK_NUMBERS", scenario.steps * 30 * 5)  # chunks of 5 replicas
    bold = Bold()
    contest = Contest(scenario, {"bold": bold, "heuristic": HeuristicMaker(), "again": bold}, "maker-2", replicas=12, seed=3)
    assert contest.market_steps == 2 * 12 * 12
    league = contest.run(threads=2)
    run = SimulationRunner(scenario, replicas=12, seed=3, policies={"maker-2": Bold()}).run().summary
    for name in NAMES:
        assert_same_bits(league.samples["bold"][name], run.loc[run["maker"] == "maker-2", name].to_numpy())
        assert_same_bits(league.samples["bold"][name], league.samples["again"][name])
    heuristic = SimulationRunner(scenario, replicas=12, seed=3).run().summary
    expected = heuristic.loc[heuristic["maker"] == "maker-2", "pnl"].to_numpy()
    assert_same_bits(league.samples["heuristic"]["pnl"], expected)
    assert not np.array_equal(league.samples["bold"]["pnl"], expected)
    said = {entry["label"]: entry["policy"] for entry in as_data(league, "pnl", None)["policies"]}
    assert said == {"bold": {"class": "Bold"}, "again": {"class": "Bold"}, "heuristic": {"kind": "heuristic"}}
    with raises(ParameterError, "makers.0.policy", names=["class", "Bold", "instance"]):
        Contest(scenario, {"bold": Bold}, replicas=10)  # type: ignore[dict-item]


def test_what_a_contest_refuses(scenario: Scenario, league: League) -> None:
    with raises(ParameterError, "policies", names=["one"]):
        Contest(scenario, {})
    with raises(ParameterError, "replicas", 9, names=[">= 10"]):
        Contest(scenario, {"a": RandomMaker()}, replicas=9)
    with raises(ParameterError, "maker 'maker-3'", names=["'paper'", "did you mean"]):
        Contest(scenario, {"a": RandomMaker()}, "maker-3")
    misleading = scenario.with_settings("makers.1.name='0'")
    assert [Contest(misleading, {"a": RandomMaker()}, maker).maker for maker in (None, "0", "1")] == ["maker-1", "0", "0"]
    with raises(ParameterError, "by", names=["'turnover'", "spread_revenue"]):
        league.standings(by="turnover")
    with raises(ParameterError, "against", names=["'randm'", "'random'"]):
        league.standings(against="randm")


# --- what is shown


@pytest.mark.parametrize("by", ranking_statistics())
@pytest.mark.parametrize("width", [60, 80, 140, 1000])
def test_tables_fit_the_terminal(league: League, by: str, width: int) -> None:
    text = io.StringIO()
    console = Console(width=width, file=text, markup=False)
    tables = league_tables(league, by, "random", console.width)
    for table in tables:
        console.print(table)
    shown = text.getvalue()
    assert "…" not in shown
    assert all(len(line.rstrip()) <= width for line in shown.splitlines())
    words = shown.split()
    for word in (
        "client",
        "interdealer",
        "hedging",
        "inventory",
        "position",
        "risk",
        "hedged",
        "P&L",
        "share,",
        "less",
        "random",
    ):
        assert word in words
    assert {"1", "1="} & set(words)
    assert len(tables) == 2 or width < 1000
    assert len(tables) > 2 or width > 80


def test_a_long_label_is_folded_and_a_single_policy_stands_alone(scenario: Scenario) -> None:
    label = "some/folder/of/policies/that/was/made/by/a/careful/person/policy.npz"
    league = Contest(scenario, {label: RandomMaker()}, replicas=10).run()
    text = io.StringIO()
    console = Console(width=80, file=text, markup=False)
    for table in league_tables(league, "pnl", None, 80):
        console.print(table)
    assert "less" not in text.getvalue()
    assert "some/folder" in text.getvalue()
    assert "Rank" not in explanation(league, "pnl")
    assert all(len(line) <= 80 for line in text.getvalue().splitlines())


def test_json_and_csv_have_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "steps=12", "--set", "reward_horizon=2", "--scenario", "paper"]
    options = ["--replicas", "12", "--seed", "3", "--maker", "maker-2", "--by", "pnl", "--against", "random", "--threads", "1"]
    assert main(["evaluate", *LABELS, *settings, *options, "--json", "--out", "league.csv"]) == 0
    printed = json.loads(capsys.readouterr().out)
    scenario = Scenario.load("paper", ["steps=12", "reward_horizon=2"])
    policies = {label: policy_named(label) for label in LABELS}
    expected = Contest(scenario, policies, "maker-2", replicas=12, seed=3).run()
    assert printed.pop("seconds") >= 0
    assert (printed.pop("version"), printed.pop("settings")) == (__version__, ["steps=12", "reward_horizon=2"])
    assert printed == json.loads(json.dumps(as_data(expected, "pnl", "random")))
    assert printed["against"] == "random"
    assert printed["policies"][0]["rank"] == 1
    frame = pd.read_csv("league.csv")
    pd.testing.assert_frame_equal(frame, expected.frame("pnl", "random"), check_exact=False, rtol=1e-12)
    for entry in printed["policies"]:
        rows = frame[frame.policy == entry["label"]].set_index("measure")
        for name in NAMES:
            assert rows.loc[name, "mean"] == pytest.approx(entry["measures"][name]["mean"], rel=1e-12)
            assert rows.loc[name, "difference_low"] == pytest.approx(entry["measures"][name]["difference"]["low"], rel=1e-12)


def test_numbers_that_are_none_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    nobody = ["--set", "investors.*.trade_probability=0.0", "--set", "steps=6"]
    assert main(["evaluate", "heuristic", "random", *nobody, "--replicas", "10", "--by", "market_share", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["policies"][0]["measures"]["market_share"]["mean"] is None
    assert printed["policies"][0]["measures"]["total_reward"]["mean"] == 0
    assert main(["evaluate", "heuristic", "random", *nobody, "--replicas", "10", "--by", "market_share"]) == 0
    assert "nan" not in capsys.readouterr().out


def test_the_command_prints_a_league(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "heuristic", "random", "random", "--set", "steps=12", "--replicas", "10", "--threads", "2"]) == 0
    shown = capsys.readouterr()
    for text in (
        "learning: policies as learner, per replica of 12 steps, mean of 10 replicas",
        "less the",
        "random (2)",
        "± is half of the 95 % interval",
        "240 market steps in",
    ):
        assert text in shown.out
    assert "240 market steps" in shown.err
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("arguments", "field", "value", "names"),
    [
        ("", "POLICY", None, ["heuristic"]),
        ("randm", "policy 'randm'", None, ["kind", ".npz", "'random'"]),
        ("zzz", "policy 'zzz'", None, ["adaptive", "heuristic", "normal", "optimal", "persistent", "random", "skew", "trained"]),
        ("no.npz", "no.npz", None, ["No such file"]),
        ("random --by profit", "by", None, ["'profit'", "spread_revenue"]),
        ("random --against adaptive", "--against", "'adaptive'", ["random"]),
        ("random --maker lerner", "maker 'lerner'", None, ["'learning'", "'learner'"]),
        ("random --replicas 9", "replicas", 9, [">= 10"]),
        ("random --replicas 10000000", "replicas", "10,000,000", ["1,000,000"]),
        ("random --seed -1", "seed", -1, [">= 0"]),
        ("random --threads 0", "--threads", 0, [">= 1"]),
        ("random --scenario lerning", "lerning", None, ["preset", "'learning'"]),
        ("random --set steps=0", "learning: steps", 0, [">= 2"]),
        ("random --out there.csv", "there.csv", None, ["exists"]),
        ("random --out no/here.csv", "no/here.csv", None, ["folder no", "--out"]),
    ],
)
def test_bad_calls(capsys: pytest.CaptureFixture[str], arguments: str, field: str, value: object, names: list[str]) -> None:
    Path("there.csv").write_text("precious")
    assert_says(refused(capsys, "evaluate", *arguments.split()), field, value, names=names)
    assert Path("there.csv").read_text() == "precious"


# --- policies as they are typed


def test_policies_by_kind_and_parameters() -> None:
    assert set(POLICIES.kinds) == {"adaptive", "heuristic", "normal", "optimal", "persistent", "random", "skew", "trained"}
    for kind, model in POLICIES.kinds.items():
        if kind != "trained":
            assert policy_named(kind) == model()
    assert policy_named("persistent:low=0.3, high=0.3") == PersistentMaker(low=0.3, high=0.3)
    assert policy_named("skew:strength=1,scale=1e3,hedge_fraction=0.5") == SkewMaker(
        strength=1.0, scale=1000.0, hedge_fraction=0.5
    )


@pytest.mark.parametrize(
    ("text", "field", "value", "names"),
    [
        ("", None, None, ["kind", ".npz"]),
        ("random:", None, None, ["kind:field=value"]),
        ("random:low", None, None, ["kind:field=value"]),
        ("random:low=0,", None, None, ["kind:field=value"]),
        ("random:lo=0", "lo", None, ["unknown", "'low'"]),
        ("random:kind=skew", "kind", None, ["unknown", "high, low"]),
        ("heuristic:low=0", "low", None, ["unknown", "none"]),
        ("random:low=0,low=1", "low", None, ["twice"]),
        ("random:low=x", "low", "'x'", ["number"]),
        ("random:low=-2", "low", -2, [">= -1"]),
        ("random:low=0.5,high=0.25", "low", 0.5, ["<= high = 0.25"]),
        ("adaptive:points=1.5", "points", 1.5, ["whole"]),
        ("trained", "file", None, ["required"]),
        ("Random", None, None, ["kind", "'random'"]),
    ],
)
def test_what_names_no_policy(text: str, field: str | None, value: object, names: list[str]) -> None:
    of_the_policy = f"policy {text!r}"
    with raises(ParameterError, of_the_policy if field is None else f"{of_the_policy}: {field}", value, names=names):
        policy_named(text)


def test_trained_policies_by_file() -> None:
    digest = saved_policy("mine.npz").digest
    expected = TrainedMaker(file="mine.npz", digest=digest)
    assert policy_named("mine.npz") == policy_named("trained:file=mine.npz") == expected
    Path("mine.npz").rename("mine")
    assert policy_named("mine") == TrainedMaker(file="mine", digest=digest)
    Path("random").write_text("not meant")
    assert policy_named("random") == RandomMaker()
    Path("bad.npz").write_text("not one")
    with raises(PolicyError, "bad.npz", names=["policy file"]):
        policy_named("bad.npz")
    Path("folder").mkdir()
    with raises(PolicyError, "folder", names=["a folder", "file"]) as without_any:
        policy_named("folder")
    assert "such as" not in str(without_any.value)
    Path("bad.npz").rename("folder/bad.npz")
    with raises(PolicyError, "folder", names=["a folder", "such as", "folder/bad.npz"]):
        policy_named("folder")


def test_a_trained_policy_takes_part() -> None:
    saved_policy("flat.npz")
    scenario = Scenario.load("learning", ["steps=8"])
    policies = {text: policy_named(text) for text in ("flat.npz", "skew:strength=0,hedge_fraction=0.5")}
    trained, same = Contest(scenario, policies, replicas=10).run().samples.values()
    for name in NAMES:
        assert_same_bits(trained[name], same[name])
    saved_policy("flat.npz", 0.5)
    with raises(PolicyError, "flat.npz", names=["another policy", "digest"]):
        Contest(scenario, policies, replicas=10)


# --- run --policy


def test_a_run_takes_policies(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--steps", "12", "--replicas", "3", "--threads", "1"]
    assigned = ["--policy", "learner=persistent:low=0.25,high=0.25", "--policy", "1=adaptive"]
    settings = ["makers.learner.policy.kind=persistent", "makers.learner.policy.low=0.25", "makers.learner.policy.high=0.25"]
    settings += ["makers.competitor.policy.kind=adaptive"]
    assert main(["run", "learning", *small, *assigned, "--out", "by-policy"]) == 0
    assert main(["run", "learning", *small, *(f"--set={setting}" for setting in settings), "--out", "by-setting"]) == 0
    for name in ("scenario.toml", "summary.parquet"):
        assert Path("by-policy", name).read_bytes() == Path("by-setting", name).read_bytes()
    capsys.readouterr()
    for arguments, field, names in (
        ("lerner=random", "maker 'lerner'", ["'learning'", "'learner'"]),
        ("learner", "--policy 'learner'", ["MAKER=POLICY", "learner=random"]),
        ("learner=", "--policy 'learner='", ["MAKER=POLICY"]),
        ("learner=randm", "policy 'randm'", ["kind", "'random'"]),
        ("learner=random --policy 0=skew", "--policy '0=skew'", ["'0'", "already"]),
        ("learner=random --resume by-policy", "--resume", ["scenario", "folder"]),
    ):
        said = refused(capsys, "run", *([] if "--resume" in arguments else ["learning"]), "--policy", *arguments.split())
        assert_says(said, field, names=names)


def test_a_run_with_a_policy_can_be_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    saved_policy("mine.npz", 0.1)
    command = ["run", "learning", "--steps", "8", "--replicas", "6", "--threads", "1", "--policy", "learner=mine.npz"]
    monkeypatch.setattr(chunks, "_CHUNK_NUMBERS_WITH_POLICIES", 8 * 40 * 2)  # chunks of 2 replicas
    assert main([*command, "--out", "whole"]) == 0
    write, written = RunFolder.write, []

    def interrupted(self: RunFolder, chunk: object) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(chunk)
        write(self, chunk)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "write", interrupted)
        assert main([*command, "--out", "cut"]) == 130
    assert len(SimulationResult.load("cut").summary) == 2 * 2
    assert main(["run", "--resume", "cut", "--threads", "1"]) == 0
    for name in ("scenario.toml", "summary.parquet"):
        assert Path("cut", name).read_bytes() == Path("whole", name).read_bytes()


def test_a_policy_takes_the_reason_for_the_former_one_away() -> None:
    reasons = {"makers.1.policy.low": "the whole range", "steps": "a day"}
    scenario = Scenario.load("learning").replace(choices=reasons)
    assert with_policies(scenario, ["learner=random"]).choices == reasons
    assert with_policies(scenario, ["competitor=skew"]).choices == {"steps": "a day"}
    assert with_policies(scenario, []) == scenario
