"""Figures show the run's own numbers, whole, for one maker and for twenty."""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context

from conftest import raises
from dealermarket import (
    Action,
    MakerPolicy,
    Observation,
    ParameterError,
    RunFolderError,
    Scenario,
    SimulationResult,
    SimulationRunner,
)
from dealermarket.estimates import tail
from dealermarket.model.scenario import preset_names
from dealermarket.plots import (
    STYLE,
    Figure,
    PicturedRun,
    draw,
    draw_panels,
    looks,
    plot_market_share,
    plot_price_curves,
    save_plots,
)
from dealermarket.plots.fan import LEVELS
from dealermarket.plots.figure import Axis, Band, Bars, Beyond, Line, Raster
from dealermarket.plots.hedging import hedging_costs, hedging_panels
from dealermarket.plots.markouts import client_groups, markouts
from dealermarket.plots.pnl import cumulative_reward, pnl, pnl_at_end, pnl_parts
from dealermarket.plots.position import half_life_in_words, net_position, plot_net_position
from dealermarket.plots.prices import all_price_curves, client_sizes, price_curves
from dealermarket.plots.saved import PICTURES
from dealermarket.plots.shares import client_tiers, client_tiers_panels, market_share, share_by_client, share_by_tier
from dealermarket.plots.time_axis import TimeAxis
from dealermarket.runs.paths import largest_drawdown

NAMES = {picture.name for picture in PICTURES}


def market(makers: int, *settings: str) -> Scenario:
    """Makers with different prices, tiers and hedges, of whom all trade, and clients of whom some are informed."""
    table = Scenario.load("dealers").as_table()
    hedging = {"kind": "fraction", "venue": "exchange"}
    table["makers"] = [
        {
            "name": f"maker-{n + 1}",
            "tiering": {"kind": "average_yield", "tiers": 3 + n % 3},
            "pricing": {"kind": "power", "alpha": 1.2 + 0.002 * n, "tier_penalty": 1e-5},
            "hedging": {**hedging, "fraction": 0.05 + 0.2 * (n % 4)},
        }
        for n in range(makers)
    ]
    informed = {"name": "client", "count": 12, "mean_size": 300.0, "trade_probability": 0.5, "oracle_probability": [0.0, 0.6]}
    return Scenario(**{**table, "investors": [informed], "steps": 60, "reward_horizon": 3}).with_settings(*settings)


@pytest.fixture(scope="module")
def result() -> SimulationResult:
    return SimulationRunner(market(3), replicas=8, record="trades").run()


@pytest.fixture(scope="module")
def run(result: SimulationResult) -> PicturedRun:
    return PicturedRun(result)


def lines(figure: Figure) -> dict[str, Line]:
    return {mark.label: mark for mark in figure.marks if isinstance(mark, Line) and mark.label}


def lines_of(figure: Figure) -> list[Line]:
    return [mark for mark in figure.marks if isinstance(mark, Line)]


def column(result: SimulationResult, maker: str, name: str) -> Any:
    """A column of the steps of one maker, (replicas, steps)."""
    steps = result.steps
    return steps[steps["maker"] == maker][name].to_numpy().reshape(-1, result.scenario.steps)


# --- what figures show is what the run recorded


def test_pnl_is_a_fan_that_ends_at_the_summary(result: SimulationResult, run: PicturedRun) -> None:
    summary = result.summary[result.summary["maker"] == "maker-2"]
    figure = pnl(run, "maker-2")
    outer, inner = (mark for mark in figure.marks if isinstance(mark, Band))
    ends = [np.asarray(side)[-1] for side in (outer.low, inner.low, lines(figure)["median"].y, inner.high, outer.high)]
    np.testing.assert_allclose(ends, np.quantile(summary["pnl"], LEVELS), rtol=1e-12)
    assert np.asarray(lines(figure)["median"].x)[[0, -1]] == pytest.approx([0.0, 60 / 4])  # hours of four steps
    parts = {label: np.asarray(line.y)[-1] for label, line in lines(pnl_parts(run, "maker-2")).items()}
    names = {"client revenue": "client_revenue", "interdealer revenue": "interdealer_revenue", "hedging cost": "hedging_cost"}
    for label, name in {**names, "inventory P&L": "inventory_pnl", "P&L": "pnl"}.items():
        assert parts[label] == pytest.approx(summary[name].mean(), abs=1e-12)
    for label, line in lines(cumulative_reward(run, "maker-2")).items():
        assert np.asarray(line.y)[-1] == pytest.approx(summary[label.replace(" ", "_")].mean(), abs=1e-12)


def test_few_replicas_are_points_without_a_tail(result: SimulationResult, run: PicturedRun) -> None:
    few = pnl_at_end(run, "maker-1")
    (points,) = lines_of(few)
    values = result.summary[result.summary["maker"] == "maker-1"]["pnl"]
    np.testing.assert_array_equal(points.x, values)
    assert "tail" not in few.note
    many = PicturedRun(SimulationRunner(result.scenario, replicas=20).run())
    figure = pnl_at_end(many, "maker-3")
    (bars,) = (mark for mark in figure.marks if isinstance(mark, Bars))
    values = many.of_replicas("pnl", "maker-3")
    assert np.sum(bars.height) == len(values) == 20
    assert [line.x[0] for line in lines_of(figure)] == pytest.approx([values.mean(), tail(values)])  # type: ignore[index]
    assert figure.y.whole
    assert "5 % tail" in figure.note
    assert "-" not in figure.note  # but minus signs, as at the axis
    assert len({len(number.partition(".")[2]) for number in re.findall(r"[\d.]+(?! %)", figure.note)[:3]}) == 1


def test_a_drawdown_is_the_largest_fall() -> None:
    paths = np.array([[1.0, 3.0, 2.0, 2.5, 0.5], [-1.0, -4.0, 1.0, 0.0, 2.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
    np.testing.assert_array_equal(largest_drawdown(paths), [2.5, 4.0, 0.0])


def test_net_position_is_the_recorded_one(result: SimulationResult, run: PicturedRun) -> None:
    held = column(result, "maker-2", "position")
    np.testing.assert_array_equal(lines(net_position(run, "maker-2", 4))["replica 4"].y, held[4])
    worst = int(np.abs(held).max(axis=1).argmax())
    figure = net_position(run, "maker-2")
    np.testing.assert_array_equal(lines(figure)["the path with the largest position"].y, held[worst])
    assert f"replica {worst}," in figure.note
    (beyond,) = (mark for mark in figure.marks if isinstance(mark, Beyond))
    furthest = int(np.abs(held[worst]).argmax())
    assert (beyond.x, beyond.y) == pytest.approx((furthest / 4, held[worst, furthest]))  # hours of four steps
    assert f"after {furthest / 4:.2f} hours" in figure.note
    assert figure.y.limits is not None
    assert figure.y.limits[0] < np.quantile(held, 0.02)
    assert figure.y.limits[1] > np.quantile(held, 0.98)


def test_a_path_that_leaves_the_axis_has_an_arrow_with_how_far() -> None:
    from matplotlib.figure import Figure as Canvas

    marks = [Line([0, 1], [0, 9]), Beyond(0.8, 9.0, "nine"), Beyond(0.2, -1.0, "within")]
    ax = draw(Figure("cut", "", marks, y=Axis(limits=(-2.0, 5.0))), Canvas().add_subplot())
    arrow, text = ax.texts
    assert (text.get_text(), text.xy[1], arrow.arrow_patch is not None) == ("nine", 1.0, True)


def test_half_lives_are_in_the_unit_of_the_axis() -> None:
    time = TimeAxis(Scenario.load("paper", ["steps=100"]))  # hours of four steps
    said = [half_life_in_words(kept, time) for kept in (-0.2, 0.4, 0.9, 1.0, math.nan)]
    hours = math.log(0.5) / math.log(0.9) / 4
    assert said[:2] == ["half-life less than a step"] * 2
    assert said[2:] == [f"half-life {hours:.2f} hours", "half-life longer than the run", "never a position"]


def test_shares_are_those_of_the_trades(result: SimulationResult, run: PicturedRun) -> None:
    trades = result.trades
    orders = trades[trades["kind"] == "order"]
    lately = orders[orders["step"] >= 60 - TimeAxis(result.scenario).window]
    share = 100 * lately.groupby("maker")["size"].sum() / lately["size"].sum()
    assert [np.asarray(line.y)[-1] for line in lines(market_share(run)).values()] == pytest.approx(list(share))
    last = orders[orders["step"] * 40 // 60 == 39]
    own = last[last["maker"] == "maker-3"]
    (raster,) = (mark for mark in share_by_client(run, "maker-3").marks if isinstance(mark, Raster))
    clients = [agent.name for agent in result.scenario.agents]
    every = last.groupby("taker")["size"].sum()
    expected = (100 * own.groupby("taker")["size"].sum().reindex(every.index).fillna(0.0) / every).reindex(clients)
    np.testing.assert_allclose(raster.values[:, -1], expected, rtol=1e-12)
    of_maker = lately[lately["maker"] == "maker-3"]
    bands = {mark.label: mark for mark in share_by_tier(run, "maker-3").marks if isinstance(mark, Band)}
    by_tier = of_maker.groupby("tier")["size"].sum() / of_maker["size"].sum()
    assert by_tier[by_tier.index > 0].sum() > 0
    heights = {label: np.asarray(band.high)[-1] - np.asarray(band.low)[-1] for label, band in bands.items()}
    assert "tier 0" not in heights
    for tier in range(1, 5):
        assert heights.get(f"tier {tier}", 0.0) == pytest.approx(100 * by_tier.get(tier, 0.0), abs=0.5)


@pytest.mark.compiled
def test_tiers_without_volume_are_not_in_the_legend() -> None:
    run = PicturedRun(SimulationRunner(Scenario.load("dealers", ["steps=200"]), replicas=60).run())
    figure = share_by_tier(run, "steady")  # ten tiers
    drawn = {mark.label for mark in figure.marks if isinstance(mark, Band)}
    volume = run.volume_by_tier[:, run.number("steady")].sum(axis=0)
    assert 0 < len(drawn) < 9
    assert drawn <= {f"tier {tier}" for tier in range(1, 10) if volume[tier] > 0}
    assert figure.y.limits is not None
    assert figure.y.limits[1] < 100


def test_what_an_axis_of_shares_leaves_out_is_said() -> None:
    run = PicturedRun(SimulationRunner(Scenario.load("dealers", ["steps=300"]), replicas=1).run())
    figure = market_share(run)
    highest = np.max([line.y for line in lines(figure).values()])
    assert figure.y.limits is not None
    assert figure.y.limits[1] < highest  # the share in the first step, of few orders
    assert f"At 1 of 300 points in time a line goes beyond the axis, up to {highest:.0f} %" in figure.caption
    whole = PicturedRun(SimulationRunner(market(1), replicas=2).run())
    assert "beyond" not in market_share(whole).caption


def test_held_tiers_are_those_of_the_quotes(result: SimulationResult, run: PicturedRun) -> None:
    clients = [agent.name for agent in result.scenario.agents]
    trades = result.trades
    orders = trades[(trades["kind"] == "order") & (trades["replica"] == 0)]
    assert list(run.held) == ["maker-1", "maker-2", "maker-3"]
    for maker, held in run.held.items():
        own = orders[orders["maker"] == maker]
        assert len(own) > 20
        np.testing.assert_array_equal(held.path[own["taker"].map(clients.index), own["step"]], own["tier"])
        (raster,) = (mark for mark in client_tiers(run, maker).marks if isinstance(mark, Raster))
        assert (np.diff(raster.values.mean(axis=1)) >= 0).all()  # the best placed on top
        np.testing.assert_array_equal(sorted(raster.values.tolist()), sorted(held.path.tolist()))
        # tiers are quantiles of all other participants: investors and makers together
        assert held.mean.mean() == pytest.approx(held.path.max() / 2, abs=0.5)


def test_makers_that_sort_have_a_panel_whoever_trades_where() -> None:
    run = PicturedRun(SimulationRunner(Scenario.load("dealers", ["steps=100"]), replicas=2).run())
    panels = client_tiers_panels(run)
    assert [figure.title for figure in panels.figures] == ["tight", "patient", "franchise", "steady"]
    assert "one tier: flat" in panels.caption
    with raises(ParameterError, "maker", "'flat'", names=["tight", "franchise"]):
        client_tiers(run, "flat")


def test_markouts_are_position_revenue_per_unit(result: SimulationResult, run: PicturedRun) -> None:
    horizon = result.scenario.reward_horizon
    longest = 4 * horizon
    trades = result.trades
    orders = trades[(trades["kind"] == "order") & (trades["step"] < 60 - longest)]
    clients = client_groups(result.scenario)
    assert sum(map(len, clients.values())) == 12
    expected = []
    for members in clients.values():
        own = orders[orders["taker"].isin([result.scenario.agents[n].name for n in members])]
        expected.append(1e4 * own["position_revenue"].sum() / own["size"].sum())
    drawn = lines(markouts(run))
    assert list(drawn) == list(clients)
    np.testing.assert_allclose([np.asarray(line.y)[horizon] for line in drawn.values()], expected, rtol=1e-9)


def test_hedging_costs_are_those_of_the_summary(result: SimulationResult, run: PicturedRun) -> None:
    hedging, risk = (mark for mark in hedging_costs(run).marks if isinstance(mark, Bars))
    expected = -result.summary.groupby("maker")[["hedging_cost", "risk_cost"]].mean()
    np.testing.assert_allclose(hedging.height, expected["hedging_cost"], rtol=1e-12)
    np.testing.assert_allclose(risk.height, expected["risk_cost"], rtol=1e-12)
    np.testing.assert_array_equal(risk.base, hedging.height)
    assert "γ" not in hedging_panels(run).caption  # fractions have none
    by_gamma = PicturedRun(SimulationRunner(Scenario.load("hedging", ["steps=20"]), replicas=2).run())
    assert "experiment volatility" in hedging_panels(by_gamma).caption


def test_price_curves_are_the_makers_quotes(run: PicturedRun) -> None:
    scenario = Scenario.load("paper")
    one = {line.label: line for line in price_curves(scenario, "maker-1")}
    assert list(one) == ["tier 0", "tier 1", "tier 2", "tier 3", "tier 4", "reference"]
    quoted = scenario.makers[0].pricing.spread(one["tier 3"].x, 3, 0.00015, scenario.exchange)
    np.testing.assert_allclose(one["tier 3"].y, 1e4 * quoted)
    assert list(lines(all_price_curves(scenario))) == ["maker-1, maker-2", "exchange"]  # alike: drawn once
    every = lines(all_price_curves(run.scenario))
    assert list(every) == ["maker-1", "maker-2", "maker-3", "exchange"]
    (volume,) = (mark for mark in client_sizes(run).marks if isinstance(mark, Bars))
    assert np.sum(volume.height) == pytest.approx(100.0)


def test_prices_below_the_exchange_are_said() -> None:
    above = all_price_curves(Scenario.load("dealers"))
    below = all_price_curves(Scenario.load("dealers", ["makers.steady.pricing.alpha=0.9"]))
    assert "steady" in below.caption
    assert "steady" not in above.caption
    assert "venue best" in above.caption  # equals the exchange there, and only there
    assert "venue best" not in below.caption


@pytest.mark.parametrize(
    ("settings", "said", "unsaid"),
    [
        ([], "with each other", "best"),
        (["makers.*.hedging.venue=exchange"], "makers can", "with each other"),
        (["makers.0.hedging.venue=best"], "only maker-1 can", "with each other"),
        (["makers.*.hedging.kind=none"], "no maker hedges", "each other"),
    ],
)
def test_why_anybody_trades_is_said_by_the_venues(settings: list[str], said: str, unsaid: str) -> None:
    why = all_price_curves(Scenario.load("paper", settings)).caption.partition("?")[2]
    assert said in why
    assert unsaid not in why


def test_price_curves_can_be_told_apart() -> None:
    many = [mark for mark in all_price_curves(market(20)).marks if isinstance(mark, Line)]
    assert {line.style for line in many[:-1]} == {"-"}
    assert len({tuple(line.colour) for line in many}) == len(many) == 21
    assert [line.y[-1] for line in many[:-1]] == sorted(line.y[-1] for line in many[:-1])  # type: ignore[index]
    small = all_price_curves(Scenario.load("thousand"))  # the deepest tiers would make one line of the best ones
    assert len(small.marks) == 6
    assert "0.4 bp above, beyond the axis" in small.caption
    assert "0.3 % of the exchange's v_max" in small.caption
    assert "dashed" in all_price_curves(market(3)).caption


def test_time_is_in_a_unit_that_suits_the_run() -> None:
    def axis(*settings: str) -> TimeAxis:
        return TimeAxis(Scenario.load("paper", settings))

    assert (axis("steps=500").unit, axis("steps=100").unit, axis("steps=8").unit) == ("days", "hours", "minutes")
    assert axis("steps=500").end == pytest.approx(500 / 96)
    assert axis("steps=30", "market.steps_per_day=10").axis.label == "time (days; 10 steps a day)"
    assert axis("steps=8").axis.label == "time (minutes; a step is 15 minutes)"
    assert [axis("steps=8").in_words(steps) for steps in (1, 4, 100, 960)] == ["15 minutes", "1 hour", "25 hours", "10 days"]
    volume = np.arange(20.0).reshape(10, 2)
    short = axis("steps=10", "market.steps_per_day=3")
    assert short.window == 1
    np.testing.assert_array_equal(short.rolling(volume), volume)


# --- what is drawn from what


def test_a_run_that_kept_no_trades_gives_the_same_figures(result: SimulationResult, run: PicturedRun, tmp_path: Path) -> None:
    poor = PicturedRun(SimulationRunner(result.scenario, replicas=8).run(tmp_path / "poor"))
    for name, values in run.paths.orders.items():
        np.testing.assert_array_equal(poor.paths.orders[name], values)
    np.testing.assert_array_equal(poor.paths.pnl, run.paths.pnl)


def test_many_replicas_are_drawn_from_the_first(
    result: SimulationResult, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("dealermarket.plots.pictured.MOST_REPLICAS", 3)
    result.save(tmp_path / "kept")
    for there in (result, SimulationResult.load(tmp_path / "kept")):
        first = PicturedRun(there)
        np.testing.assert_array_equal(first.paths.replicas, [0, 1, 2])
        np.testing.assert_array_equal(first.paths.position[:, :, 0], column(result, "maker-1", "position")[:3])
        assert first.paths.orders["replica"].max() == 2
        assert "the first 3 of 8 replicas" in pnl(first, "maker-1").caption
        assert "the end of 8 replicas" in pnl_at_end(first, "maker-1").caption
        with raises(ParameterError, "replica", 5, names=["0..2"]):
            net_position(first, "maker-1", 5)


class Still(MakerPolicy):
    """Leaves everything to the maker."""

    def act(self, observation: Observation) -> Action:
        return Action()


def test_what_cannot_be_run_again_is_left_out_with_its_reason(tmp_path: Path) -> None:
    acted = SimulationRunner(market(2), replicas=2, policies={"maker-1": Still()}).run()
    written, left_out = save_plots(acted, str(tmp_path))
    assert written == []
    assert all("record" in reason for reason in left_out)
    assert {reason.partition(":")[0] for reason in left_out} == NAMES


def test_unknown_makers_and_formats_are_refused(result: SimulationResult, tmp_path: Path) -> None:
    with raises(ParameterError, "maker", "'x'", names=["maker-1", "maker-2"]):
        plot_net_position(result, "x")
    with raises(ParameterError, "maker", "'x'", names=["maker-1", "maker-2"]):
        price_curves(result.scenario, "x")
    with raises(ParameterError, "format", "'gif'", names=["png", "svg"]):
        save_plots(result, tmp_path, "gif")
    (tmp_path / "file").write_text("")
    with raises(RunFolderError, tmp_path / "file" / "below" / "pnl.png", names=["written"]):
        save_plots(result, tmp_path / "file" / "below")


def test_a_figure_is_drawn_into_given_axes(run: PicturedRun) -> None:
    from matplotlib.figure import Figure as Canvas

    ax = Canvas().add_subplot()
    assert plot_price_curves(run.scenario, ax) is ax
    assert len(ax.lines) == 7  # the best and the deepest tier of three makers, and the exchange
    own = plot_market_share(run)
    legend = own.figure.legends[0]
    assert "60" not in own.get_title()
    assert run.replicas in legend.get_title().get_text()


# --- how pictures look


def is_whole(canvas: Any) -> bool:
    """Whether all that is drawn lies within the picture: texts, ticks, legends."""
    canvas.draw_without_rendering()
    drawn, page = canvas.get_tightbbox(), canvas.bbox_inches
    return bool(min(drawn.x0, drawn.y0) >= -0.01 and drawn.x1 <= page.x1 + 0.01 and drawn.y1 <= page.y1 + 0.01)


def titles_overlap(canvas: Any) -> bool:
    """Whether what stands above one panel runs into the panel beside it."""
    above = [text for ax in canvas.axes for text in (ax._left_title, *ax.texts) if text.get_text()]
    boxes = [text.get_window_extent() for text in above]
    return any(one.overlaps(other) for n, one in enumerate(boxes) for other in boxes[:n])


@pytest.mark.slow
@pytest.mark.parametrize("makers", [1, 2, 5, 10, 20])
def test_no_text_is_cut_for_any_number_of_makers(makers: int) -> None:
    names = [f'makers.{n}.name="a maker with a long name {n}"' for n in range(makers)]
    run = PicturedRun(SimulationRunner(market(makers, *names), replicas=5, record="trades").run())
    assert len(run.makers) == makers
    with rc_context(STYLE):
        for picture in PICTURES:
            panels = picture.panels(run)
            canvas = draw_panels(panels)
            assert is_whole(canvas), picture.name
            assert not titles_overlap(canvas), picture.name
            if picture.name == "market_share":
                drawn = [(line.get_color(), line.get_linestyle()) for line in canvas.axes[0].lines]
                assert len(set(drawn)) == len(drawn) == makers


def test_lines_of_forty_makers_differ() -> None:
    assert len(set(looks(40))) == 40


def test_makers_that_never_trade_have_no_panel(tmp_path: Path) -> None:
    dear = market(3, "makers.2.pricing.eps_buy=1e3", "makers.2.pricing.eps_sell=1e3")
    run = PicturedRun(SimulationRunner(dear, replicas=2).run())
    assert run.makers == ("maker-1", "maker-2")
    assert "maker-3" in run.without_panel


@pytest.mark.slow
@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_is_drawn(preset: str, tmp_path: Path) -> None:
    small = ["steps=40", "reward_horizon=4"]
    result = SimulationRunner(Scenario.load(preset, small), replicas=3).run()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        written, left_out = save_plots(result, tmp_path, "svg")
    assert {path.stem for path in written} | {reason.partition(":")[0] for reason in left_out} == NAMES
    assert ("markouts" in {path.stem for path in written}) == (preset in ("bonds", "calibration", "fx", "informed"))


def test_a_picture_is_the_same_bytes_every_time(run: PicturedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dealermarket.plots.saved.PICTURES", [picture for picture in PICTURES if picture.name == "client_tiers"])
    (first,), _ = save_plots(run, tmp_path, "svg")
    (again,), _ = save_plots(run, tmp_path / "again", "svg")
    assert first.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("settings", [("steps=2", "reward_horizon=1"), ("investors.*.trade_probability=0.0",)])
def test_runs_with_next_to_nothing_in_them_are_drawn(settings: tuple[str, ...], tmp_path: Path) -> None:
    result = SimulationRunner(market(2, *settings), replicas=1).run()
    written, left_out = save_plots(result, tmp_path, "svg")
    assert {path.stem for path in written} | {reason.partition(":")[0] for reason in left_out} == NAMES


def test_every_picture_of_the_docs_says_where_it_is_from() -> None:
    docs = Path(__file__).parents[1] / "docs"
    named = re.findall(r"^\| `([\w-]+\.(?:svg|png))` \|", (docs / "figures.md").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in (docs / "images").iterdir())
