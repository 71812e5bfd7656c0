"""Tapes, runners and results: equal by content, short to read, and nothing that is handed out changes what is kept."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from conftest import UNCOMPILED
from dealermarket import Action, LiveMarket, MakerPolicy, Observation, Scenario, SimulationResult, SimulationRunner, Tape
from dealermarket.compiled import among
from dealermarket.engine.advance import advance
from dealermarket.model.makers.policies import HeuristicMaker, RandomMaker
from dealermarket.study import Contest, mean

ARRAYS = tuple(field.name for field in fields(Tape))


def other_ways(tape: Tape, scenario: Scenario) -> dict[str, Tape]:
    """The tape of one replica, as it comes through every door that there is for tapes."""
    orders = [
        (step, tape.investor[n], tape.side[n], tape.size[n], tape.tie[n]) for n, (_, step) in enumerate(tape.orders.tolist())
    ]
    by_hand = Tape.from_orders(
        scenario,
        tape.mid[0],
        tape.reference_spread[0],
        orders,
        reservation=tape.reservation if len(tape.reservation) else None,
        asked=tape.asked if len(tape.asked) else None,
        hedge_tie=tape.hedge_tie[0],
        tie_order=tape.tie_order[0],
    )
    return {
        "drawn": tape,
        "by hand": by_hand,
        "replaced": replace(tape, tie=tape.tie),
        "pickled": pickle.loads(pickle.dumps(tape)),
        "copied": copy.deepcopy(tape),
        "of read-only arrays": Tape(**{name: getattr(tape, name) for name in ARRAYS}),
    }


# --- tapes


CHOOSING = ("investors.*.asks=1", "investors.*.demand={kind='logistic', mean=1.0, scale=0.2}")


def test_tapes_are_equal_where_their_arrays_are(small: Scenario) -> None:
    choosing = small.with_settings(*CHOOSING)
    for scenario in (small, choosing):
        tape = Tape.draw(scenario, seed=3)
        for way, other in other_ways(tape, scenario).items():
            assert other == tape, way
        assert tape != Tape.draw(scenario, seed=4)
        assert tape != Tape.draw(scenario, seed=3, replicas=2)
        assert tape != "a tape"
    for name in ARRAYS:
        changed = getattr(tape, name).copy()
        changed.flat[0] = not changed.flat[0] if name == "asked" else changed.flat[0] + 1
        assert replace(tape, **{name: changed}) != tape, name
    with pytest.raises(TypeError):
        hash(tape)


def test_a_tape_is_shown_by_its_size(small: Scenario) -> None:
    tape = Tape.draw(small, replicas=3)
    assert repr(tape) == f"<Tape: 3 replicas, 30 steps, 2 makers, {len(tape.side)} orders>"


def test_arrays_of_a_tape_are_read_only_whichever_way_it_came(small: Scenario) -> None:
    for way, tape in other_ways(Tape.draw(small), small).items():
        for name in ARRAYS:
            with pytest.raises(ValueError, match="read-only"):
                getattr(tape, name).flat[0] = 0
            assert not getattr(tape, name).flags.writeable, (way, name)
    with pytest.raises(FrozenInstanceError):
        tape.mid = tape.mid  # type: ignore[misc]


def test_a_tape_keeps_its_numbers_whatever_becomes_of_those_it_was_made_from(small: Scenario) -> None:
    tape = Tape.draw(small)
    mid, spread = tape.mid[0].copy(), tape.reference_spread[0].copy()
    by_hand = Tape.from_orders(small, mid, spread, [])
    mid[:], spread[:] = 7.0, 7.0
    np.testing.assert_array_equal(by_hand.mid, tape.mid)
    np.testing.assert_array_equal(by_hand.reference_spread, tape.reference_spread)


def test_every_tape_is_of_one_type_to_the_engine(small: Scenario) -> None:
    """Numba would compile the market once more for arrays that are read-only."""
    types = {way: numba.typeof(tape.arrays()) for way, tape in other_ways(Tape.draw(small), small).items()}
    assert len(set(types.values())) == 1, types
    assert all(array.flags.writeable for array in Tape.draw(small).arrays())


@pytest.mark.skipif(UNCOMPILED, reason="nothing is compiled")
def test_the_engine_is_compiled_once_for_all_tapes(small: Scenario) -> None:
    class Still(MakerPolicy):
        def act(self, observation: Observation) -> Action:
            return Action()

    engine: Any = among(advance, of_the_papers=True)
    SimulationRunner(small).run()
    before = list(engine.machine_code().signatures)
    tapes = other_ways(Tape.draw(small), small)
    results = [SimulationRunner(small, record="trades").run(tape=tape) for tape in tapes.values()]
    assert all(result == results[0] for result in results)
    SimulationRunner(small, policies={"maker-1": Still()}).run(tape=tapes["by hand"])
    LiveMarket(small).begin(1.0, 0.01)
    assert engine.machine_code().signatures == before


# --- runners


def test_runners_are_equal_where_they_run_the_same(small: Scenario) -> None:
    runner = SimulationRunner(small, replicas=2, seed=1)
    assert runner == SimulationRunner(small.with_settings(), np.int64(2), np.int64(1))  # type: ignore[arg-type]
    assert len({runner, SimulationRunner(small, 2, 1), SimulationRunner(small, 2, 2)}) == 2
    for change in ({"replicas": 3}, {"seed": 2}, {"threads": 2}, {"record": "steps"}, {"scenario": Scenario.load("dealers")}):
        assert replace(runner, **change) != runner


def test_a_runner_is_shown_as_it_is_made_and_does_not_change(small: Scenario) -> None:
    runner = SimulationRunner(small, 2, seed=1)
    assert repr(runner) == (
        f"SimulationRunner(scenario={small!r}, replicas=2, seed=1, threads=1, record='summary', policies={{}})"
    )
    policies: Any = runner.policies
    with pytest.raises(TypeError):
        policies["maker-1"] = None
    with pytest.raises(FrozenInstanceError):
        runner.seed = 5  # type: ignore[misc]


# --- results


def test_results_are_equal_by_what_was_recorded(small: Scenario, tmp_path: Path) -> None:
    result = SimulationRunner(small, replicas=3, seed=2, record="trades").run()
    again = SimulationRunner(small, replicas=3, seed=2, threads=2, record="trades").run(tmp_path / "run")
    on_tape = SimulationRunner(small, record="trades").run(tape=Tape.draw(small, seed=2, replicas=3))
    for other in (again, on_tape, SimulationResult.load(tmp_path / "run")):
        assert other == result
        assert hash(other) == hash(result)
    assert result != SimulationRunner(small, replicas=3, seed=3, record="trades").run()
    assert result != SimulationRunner(small, replicas=2, seed=2, record="trades").run()
    assert result != SimulationRunner(small, replicas=3, seed=2).run()
    assert result != SimulationRunner(small.replace(name="other"), replicas=3, seed=2, record="trades").run()
    assert result != result.summary.to_dict()


def test_a_result_is_shown_by_what_was_run(small: Scenario) -> None:
    result = SimulationRunner(small, replicas=3, seed=2, record="steps").run()
    assert repr(result) == "<SimulationResult of 'paper': 3 replicas, seed 2, summary and steps>"
    result.meta = {**result.meta, "complete": False}
    assert repr(result).endswith(", incomplete>")
    assert repr(LiveMarket(small)) == "<LiveMarket of 'paper': at step 0>"


def test_nothing_that_a_result_hands_out_changes_it(small: Scenario, tmp_path: Path) -> None:
    def run() -> SimulationResult:
        return SimulationRunner(small, replicas=2, record="trades").run()

    result, statistics = run(), run().statistics()
    for frame in (result.summary, result.steps, result.trades):
        for column in frame.select_dtypes("number"):
            values = frame[column].to_numpy()
            if values.flags.writeable:
                values[:] = 7
            frame[column] = 8
    meta: Any = result.meta
    with pytest.raises(TypeError):
        meta["seed"] = 9
    assert result == run()
    assert result.statistics() == statistics
    result.save(tmp_path / "run")
    assert SimulationResult.load(tmp_path / "run") == run()


# --- actions, estimates and leagues


def test_values_of_arrays_are_equal_where_the_arrays_are() -> None:
    action = Action(eps_buy=[0.1, 0.2], hedge_fraction=0.5)
    assert action == Action(eps_buy=np.array([0.1, 0.2]), hedge_fraction=0.5)
    for other in (Action(eps_buy=[0.1, 0.3], hedge_fraction=0.5), Action(eps_buy=[0.1, 0.2]), Action(eps_buy=0.1), 3):
        assert action != other
    unknown = mean(np.array([1.0]))  # of a single number: the error is NaN
    assert unknown == mean(np.array([1.0])) != mean(np.array([2.0]))
    with pytest.raises(TypeError, match="unhashable"):
        hash(unknown)


def test_leagues_are_equal_where_they_measured_the_same(small: Scenario) -> None:
    entered = {"heuristic": HeuristicMaker(), "random": RandomMaker()}
    league = Contest(small, entered, replicas=10).run()
    assert league == Contest(small, entered, replicas=10).run()
    assert league != Contest(small, entered, replicas=10, seed=1).run()
    one, other = league.samples.values()
    assert one != other
    assert one != one.first(2)
