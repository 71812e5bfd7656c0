"""Large clients are more price sensitive.

Share of four clients' volume that a maker wins as it pins the client to tier 0 to 4, against a rival that tiers by revenue (the
paper's Fig. 6).
"""

from matplotlib.figure import Figure

from dealermarket import Scenario, SimulationRunner

scenario = Scenario.load("price-sensitivity")
axes = Figure(figsize=(7, 4), layout="constrained").subplots()
for client, size in {"investor-0": 0.5, "investor-1": 1.0, "investor-5": 3.5, "investor-7": 4.5}.items():
    shares = []
    for tier in range(5):
        pinned = scenario.with_settings(f"makers.maker-2.tiering.pins.{client}={tier}")
        trades = SimulationRunner(pinned, replicas=100, record="trades").run().trades.query("taker == @client")
        shares.append(trades.loc[trades["maker"] == "maker-2", "size"].sum() / trades["size"].sum())
    axes.plot(range(5), shares, marker="o", label=f"{client}, mean size {size:g}")
axes.set(xlabel="tier", xticks=range(5), ylabel="share of the client's volume", title="Who leaves for a better tier")
axes.legend()
axes.figure.savefig("price_sensitivity.png", dpi=110)
