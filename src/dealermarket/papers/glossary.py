"""Words and symbols of the experiments, each explained once; a report repeats them in the sections that use them."""

from __future__ import annotations

_WORDS = {
    "tier": "the class of prices that a maker gives a client. Tier 0 is the best; every tier below it costs the client one tier "
    "penalty more per unit.",
    "α": "the volume penalty: the higher it is, the faster a maker's spread grows with the size of a trade.",
    "reference curve": "what the exchange charges per unit, by the size of a trade (S_ref).",
    "price × units": "the unit of money here. The price starts at 1, so 1 is what one unit of the asset costs at the start.",
    "basis point (bp)": "a hundredth of a percent of the initial price.",
    "position z": "what a maker holds; it is negative where it has sold more than it has bought. |z| is its size.",
    "γ": "the risk aversion of a maker's hedging. At γ = 0 it spreads a hedge evenly over the coming steps, which is the "
    "cheapest; the higher γ, the more it trades away at once; at γ = ∞ all of it.",
    "cost": "here hedging cost (the spreads that the maker pays for its hedges) plus risk cost (what its position loses in steps "
    "in which the price moves against it; steps with gains do not count).",
    "total reward": "the paper's four rewards added up: spread revenue and position revenue, less hedging cost and risk cost. As "
    "risk cost counts losses only, it is not money that the maker has at the end.",
    "P&L": "money: cash received and paid, plus the position at the last price. Gains and losses of the position both count.",
    "hot potato": "a position that makers hedge with each other, and so pass on again and again, paying a spread each time.",
    "position revenue": "what a trade gains by the move of the price until t_m steps later, seen from the maker.",
    "yield": "spread revenue plus position revenue of a trade, per unit traded.",
    "t_m": "the reward horizon: so many steps after a trade its position revenue is known.",
    "oracle probability p": "the chance that an investor knows at a trade where the price will be t_m steps later, and takes "
    "that side. Otherwise its side is drawn, so that it is right in (1 + p) / 2 of its trades.",
    "markout": "what the price moves in the maker's favour in the h steps after a trade, per unit; the spread comes on top.",
    "σ, dt": "the volatility a year, and the length of a step in years.",
    "ε": "what a maker adds to the reference spread, as a share of it: clients pay S_ref (1 + ε). At ε = −1 they pay nothing, at "
    "ε = 1 twice the reference.",
    "F(ε)": "the probability that the competitor's ε is at most ε; 1 − F(ε) is the share of clients to whom ε is the cheaper "
    "price.",
    "x, F̄(x)": "what a client pays, as a multiple of the reference curve: x = 1 + ε; and the probability that it trades at that "
    "price.",
    "joint optimum": "the price that earns two makers most who both charge it.",
    "equilibrium": "a choice of every maker from which none of them gains by moving alone.",
    "price of anarchy": "what all makers together lose at an equilibrium against the choices that are best for them together: "
    "a difference here, in the units of what they want.",
    "worth of the volume": "what all clients' volume of a run would earn one maker at ε = 0. Money is given as a share of it.",
    "internalize, externalize": "who internalizes keeps what clients trade and waits for others who trade the other way; who "
    "externalizes hedges it at the exchange.",
    "impact": "what hedges at the exchange do to the mid, from the next step on: for good (permanent), or less with each step "
    "(transient).",
    "P&L without luck": "P&L less what the position gains and loses by moves of the mid that no hedge caused.",
    "training": "the same learning from another seed. Each trained maker is then played in markets that are common to all.",
    "reservation": "the dearest quote at which a client trades, as a multiple of the reference curve at its size: logistic, with "
    "a mean and a scale.",
    "log": "what a desk writes down: each request with its client, side, size and quote, whether it was won, traded with "
    "another dealer or with nobody, and, of those won, the second best quote (cover).",
    "hit ratio": "the share of the requests that the desk wins.",
    "M": "a million of the base currency.",
    "internalization zone": "the inventories at which a dealer hedges nothing and waits for clients; given by its end.",
    "φ, η, k": "what hedging costs: φ a M, half of a spread, and η times its rate; and what each M of it moves the mid by.",
    "risk aversion γ": "what a dealer would pay for less variance: it maximises mean P&L less γ / 2 times the variance of its "
    "inventory's value.",
    "external share": "what a dealer hedges, as a share of all that it trades with clients and as hedges.",
    "λ": "the weight of the penalty for inventory in the reward: λ times the square of the position, in multiples of ten "
    "standard deviations of a step's net flow.",
    "V*": "the value of the optimum: what the best policy earns a step in the mean, in the unit of the reward.",
    "regret": "what a policy earns less than the optimum, a step; here by the sum of the advantages of what it did.",
    "reward": "what a training maximises, a step; 1 is the worth of a step's volume at ε = 0.",
}


def words(*names: str) -> dict[str, str]:
    """The words of these names with what they mean, in this order."""
    return {name: _WORDS[name] for name in names}
