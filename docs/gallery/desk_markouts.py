"""A desk's log: who is toxic.

What the price does after all requests of a client, won or not, with 95 % intervals by blocks of time.
"""

from dealermarket import Scenario
from dealermarket.data import analyse, export
from dealermarket.plots import plot_client_markouts

scenario = Scenario.load("informed", ["steps=400"])
files = export(scenario, "maker-1", replicas=20)
found = analyse(files.rfqs, files.mids)
picture = plot_client_markouts(found.markouts, found.clients, scenario.reward_horizon)
picture.savefig("desk_markouts.png", dpi=110)
