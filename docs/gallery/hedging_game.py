"""And if the other answers: a game.

What two makers get by how each hedges, with the equilibria and the joint optimum. Both would be better off if neither hedged in
haste, and each gains by doing it.
"""

from dealermarket import Scenario
from dealermarket.plots.equilibrium import plot_game
from dealermarket.questions import Game, Objective, Varied

ways = ({"kind": "none"}, {"kind": "optimal", "risk_aversion": 0.0}, {"kind": "optimal", "risk_aversion": 0.25}, {"kind": "full"})
objective = Objective.parsed("total_reward")
played = Game(Scenario.load("paper"), (Varied("makers.*.hedging", ways),), objective, replicas=200).run()
marked = {"pure equilibrium": played.equilibria, "joint optimum": (played.joint_optimum,)}
labels = [played.game.labels(maker) for maker in played.game.makers]
picture = plot_game(played.payoffs.value, played.game.makers, labels, marked, str(objective))
picture.savefig("hedging_game.png", dpi=110)
