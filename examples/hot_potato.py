"""Two makers that hedge with each other alone, and what a venue outside changes: positions over a day, as a figure.

The same clients trade at the same times in both panels. Run it with `python examples/hot_potato.py [FILE]`; it writes
hot-potato.svg unless told otherwise.
"""

import sys

from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas

from dealermarket import Scenario, SimulationRunner
from dealermarket.plots import COLOURS, STYLE, Axis, Figure, Legend, Line, draw

HOURS = 24
CASES = {
    "with each other": [],
    "at the better venue": ["makers.*.hedging.venue=best"],
}

with rc_context(STYLE):
    canvas = Canvas(figsize=(6.4, 4.6), layout="constrained")
    for (title, settings), axes in zip(CASES.items(), canvas.subplots(2, sharex=True, sharey=True), strict=True):
        scenario = Scenario.load("hot-potato", settings)
        result = SimulationRunner(scenario, replicas=1, record="steps").run()
        hours = result.steps["step"] * scenario.market.hours_per_step
        of_the_day = result.steps[hours < HOURS].assign(hour=hours)
        marks = [
            Line(path["hour"], path["position"], maker, colour, 1.1)
            for (maker, path), colour in zip(of_the_day.groupby("maker"), COLOURS, strict=False)
        ]
        passed = float(result.statistics()["maker-1"]["hedge_ratio"].value)
        last = axes.get_subplotspec().is_last_row()
        x, y = Axis("hours" if last else "", limits=(0, HOURS)), Axis("position (units)")
        draw(Figure("hot-potato", "", marks, x, y, f"Hedges {title}: {passed:.2g} times the client volume", Legend(8)), axes)
    path = sys.argv[1] if len(sys.argv) > 1 else "hot-potato.svg"
    canvas.savefig(path, metadata={"Date": None} if path.endswith(".svg") else {}, dpi=150)
