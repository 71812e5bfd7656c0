"""The pages of a desk's data: they hold the numbers, need nothing but themselves, and take names for text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from conftest import assert_says, refused
from dealermarket.commands.main import main
from dealermarket.data.analysis import Analysis, analyse
from dealermarket.data.beside import Beside
from dealermarket.data.calibration import Calibration, calibrate
from dealermarket.data.outcomes import OUTCOMES
from dealermarket.pages.analysis import analysis_page
from dealermarket.pages.calibration import calibration_page
from dealermarket.pages.parts import MOST_ROWS, shown_rows
from dealermarket.pages.table import Column
from dealermarket.plots.style import named
from documents import Element, assert_linked, assert_needs_nothing, document, table_of

HOSTILE = ["<script>alert(1)</script>", "=1+1", "$\\frac{x$ $", "客户", "{{ 7*7 }} \"' &amp;", "_a" * 100, "</style><img src=x>"]
STEPS = 2000


def desk(names: list[str], requests: int = 2000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A log of clients of these names, who ask at random times of two days, and mids."""
    rng = np.random.default_rng(3)
    mid = 100.0 * np.exp(1e-4 * np.cumsum(rng.standard_normal(STEPS)))
    start = pd.Timestamp("2024-01-31T09:00:00Z")
    times = start + pd.to_timedelta(np.arange(STEPS), "min")
    mids = pd.DataFrame({"time": times, "mid": mid, "bid": mid - 0.01, "ask": mid + 0.01 * np.exp(rng.uniform(-0.5, 0.5, STEPS))})
    at = np.sort(rng.integers(0, STEPS - 50, requests))
    side = rng.choice([1, -1], requests)
    size = rng.choice([1.0, 2.0, 5.0], requests)
    spread = rng.uniform(0.005, 0.03, requests) + 0.004 * size
    best, reservation = 0.015 + 0.01 * rng.standard_normal(requests), 0.03 + 0.01 * rng.logistic(size=requests)
    won = (spread < best) & (spread < reservation)
    rfqs = pd.DataFrame(
        {
            "time": times[at],
            "client": np.resize(names, requests),
            "side": np.where(side > 0, "buy", "sell"),
            "size": size,
            "quote": mid[at] + side * spread,
            "outcome": np.where(won, "won", np.where(best < reservation, "traded_away", "not_traded")),
            "dealers_asked": 2,
            "cover": np.where(won, mid[at] + side * best, np.nan),
            "tier": rng.integers(0, 2, requests),
        }
    )
    return rfqs, mids


@pytest.fixture(scope="module")
def files() -> tuple[pd.DataFrame, pd.DataFrame]:
    return desk(["ann", "bob", "cid", *HOSTILE])


@pytest.fixture(scope="module")
def found(files: tuple[pd.DataFrame, pd.DataFrame]) -> Calibration:
    return calibrate(*files)


@pytest.fixture(scope="module")
def analysed(files: tuple[pd.DataFrame, pd.DataFrame]) -> Analysis:
    return analyse(*files)


@pytest.fixture(scope="module")
def pages(found: Calibration, analysed: Analysis) -> dict[str, str]:
    return {"calibration": calibration_page(found, "a <b>.toml"), "analysis": analysis_page(analysed, "a <b>.csv")}


def row_of(page: Element, table: str, name: str) -> list[Element]:
    return next(row for row in table_of(page, table) if row[0].text == name)


@pytest.mark.parametrize("name", ["calibration", "analysis"])
def test_pages_need_nothing_and_take_names_for_text(pages: dict[str, str], name: str) -> None:
    text = pages[name]
    assert_needs_nothing(text)
    page = document(text)  # tags are closed in order, so that no name has opened one
    assert_linked(page)
    assert len(page.all("script")) == 1 and len(page.all("style")) == 1
    assert {row[0].text for row in table_of(page, "clients.table.clients")} == {"ann", "bob", "cid", *HOSTILE}
    assert all(image.attributes["src"].startswith("data:image/svg+xml;base64,") for image in page.all("img"))
    assert all(image.attributes["alt"] for image in page.all("img"))
    headers = next(table for table in page.all("table") if "data-sorts" in table.attributes).all("thead")[0].all("th")
    assert "number" in headers[1].attributes["class"] and headers[1].text == "requests"


def test_the_page_of_a_calibration_has_the_numbers(
    files: tuple[pd.DataFrame, pd.DataFrame], found: Calibration, pages: dict[str, str]
) -> None:
    page, rfqs = document(pages["calibration"]), files[0]
    own = rfqs[rfqs["client"] == "ann"]
    _, requests, arrival, size, buys, oracle, hits = row_of(page, "clients.table.clients", "ann")
    assert float(requests.attributes["data-value"]) == len(own)
    shares = [(own["side"] == "buy").mean(), (own["outcome"] == "won").mean()]
    assert_allclose([float(cell.attributes["data-value"]) for cell in (size, buys, hits)], [own["size"].mean(), *shares])
    estimates = {finding.field: finding.estimate for finding in found.findings}
    fitted = [estimates[f"investors.ann.{field}"] for field in ("trade_probability", "oracle_probability")]
    assert all(estimate is not None for estimate in fitted)
    values = [float(cell.attributes["data-value"]) for cell in (arrival, oracle)]
    assert_allclose(values, [1440 * fitted[0].value, fitted[1].value])  # type: ignore[union-attr]
    volatility = estimates["market.mid_price.volatility"]
    assert volatility is not None
    shown = row_of(page, "found.table.found", "market.mid_price.volatility")
    assert [cell.text for cell in shown[1:4]] == [f"{end:.4g}" for end in (volatility.value, volatility.low, volatility.high)]
    assert [item.text for item in page.named("unknown").all("li")] == list(found.unknown)
    assert [item.text for item in page.named("read").all("li")] == list(found.notes)
    assert "dealermarket run a <b>.toml" in page.named("next").text


def test_the_page_of_an_analysis_has_the_numbers(analysed: Analysis, pages: dict[str, str]) -> None:
    page = document(pages["analysis"])
    names = [row[0].text for row in table_of(page, "clients.table.clients")]
    assert names == analysed.clients["client"].tolist()  # the most toxic first
    markouts = [float(row[2].attributes["data-value"]) for row in table_of(page, "clients.table.clients")]
    assert markouts == analysed.clients["markout_bp"].tolist()
    assert [row[0].text for row in table_of(page, "groups.table.groups")] == [
        "all requests",
        "clients buy",
        "clients sell",
        "tier 0",
        "tier 1",
    ]
    assert len(table_of(page, "quotes.table.quotes")) == len(analysed.quotes)


def test_what_is_shown_beside_the_fit_is_the_log(files: tuple[pd.DataFrame, pd.DataFrame], found: Calibration) -> None:
    rfqs, beside = files[0], Beside(found)
    outcomes = beside.outcomes()
    hours = rfqs["time"].dt.hour.value_counts()
    for (by, name), group in outcomes.groupby(["by", "name"]):
        assert_allclose(group["observed"].sum(), 1.0)
        assert_allclose(group["residual"], group["observed"] - group["predicted"], atol=1e-12)
        assert_allclose(group["residual"].sum(), 0.0, atol=1e-9)
        assert by != "hour" or (group["requests"] == hours[int(str(name))]).all()
    for by, number in (("quote", 20), ("size", 3), ("client", 10), ("hour", 24)):
        group = outcomes[outcomes["by"] == by]
        assert group["name"].nunique() <= number and group["requests"].sum() == len(OUTCOMES) * len(rfqs)
    sizes = beside.sizes()
    assert_allclose(sizes["observed"], [(rfqs["size"] == size).mean() for size in sizes["size"]])
    assert_allclose(sizes["fitted"], sizes["observed"], atol=0.02)  # shrunk a little
    assert_allclose(sizes["fitted"].sum(), 1.0)
    asked = beside.hours()
    assert asked is not None
    first = asked[asked["hour"] == 9].iloc[0]  # of the two days, 9:00 to 10:00 came twice
    assert_allclose(first["observed"], hours[9] / 2)
    assert beside.volatility()["volatility"].mean() == pytest.approx(1e-4 * np.sqrt(1440 * 252), rel=0.1)
    spreads = beside.spreads()
    assert spreads is not None and spreads[["observed", "fitted"]].sum().between(0.9, 1.0).all()


def test_a_log_that_tells_little_has_a_page(files: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Without tiers, covers, dealers, lost requests, bids and asks, and times of day."""
    rfqs, mids = files
    bare = rfqs[rfqs["outcome"] == "won"].drop(columns=["tier", "cover", "dealers_asked"])
    step = (bare["time"] - mids["time"][0]) // pd.Timedelta("1min")
    found = calibrate(bare.assign(time=step), mids[["mid"]].assign(time=range(STEPS)))
    assert np.isnan(found.predicted).all()
    page = document(calibration_page(found))
    assert "nothing was fitted" in page.named("fill").text and "no bids and asks" in page.named("market").text
    assert "tier penalty" in page.named("unknown").text
    assert not any("hour" in image.attributes["alt"] for image in page.all("img"))


def test_long_tables_are_cut_and_say_so() -> None:
    frame = pd.DataFrame({"client": [f"client-{number}" for number in range(1234)]})
    table = shown_rows("clients", "Clients.", frame, [Column("client", "client")], "clients.csv")
    assert len(table.rows()) == MOST_ROWS and {"1,234;", "clients.csv."} <= set(table.caption.split())
    assert shown_rows("clients", "Clients.", frame.head(MOST_ROWS), table.columns, "clients.csv").caption == "Clients."


def test_names_are_no_formulas() -> None:
    assert named("a$b$c") == r"a\$b\$c"
    assert named("a\x00b\nc") == "a b c"
    assert len(named("x" * 100)) < 40


def test_calibrate_writes_its_page_beside(
    files: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, frame in zip(("rfqs", "mids"), files, strict=True):
        frame.to_parquet(f"{name}.parquet", index=False)
    command = ("calibrate", "rfqs.parquet", "--mids", "mids.parquet", "--out")
    assert main([*command, "desk.toml"]) == 0
    assert "desk.html" in capsys.readouterr().out
    assert_needs_nothing(Path("desk.html").read_text(encoding="utf-8"))
    Path("other.html").write_text("mine")
    assert_says(refused(capsys, *command, "other.toml"), "other.html", names=["--page"])
    assert Path("other.html").read_text() == "mine" and not Path("other.toml").exists()
    assert_says(refused(capsys, *command, "both.html"), "--page")
