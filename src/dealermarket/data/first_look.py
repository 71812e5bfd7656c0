"""An analysis of a desk in words: how to read it, which clients cost money, what winning costs, and where a maker's risk went."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dealermarket.data.analysis import BOOK, Analysis
from dealermarket.estimates import FEWEST_RUNS, LEVEL, in_columns
from dealermarket.runs.needs import in_time_units
from dealermarket.runs.statistics import statistic_named

if TYPE_CHECKING:
    import pandas as pd

_COSTS = ("hedging_cost", "risk_cost")


def in_steps(seconds: float | None) -> str:
    """What a step is, for an axis; None where times count steps."""
    return "steps" if seconds is None else f"steps of {in_time_units(seconds)}"


def later(found: Analysis) -> str:
    """The reward horizon in words."""
    steps = f"{found.reward_horizon:,} step{'s' if found.reward_horizon != 1 else ''}"
    return steps if found.seconds is None else f"{steps} ({in_time_units(found.reward_horizon * found.seconds)})"


def groups(found: Analysis) -> pd.DataFrame:
    """The rows of all requests, of sides, and of tiers where there are several; `group` says what each is."""
    import pandas as pd

    tiers = found.tiers if len(found.tiers) > 1 else found.tiers.head(0)
    tables = {"all requests": found.total, "clients {}": found.sides, "tier {}": tiers}
    rows = [table.iloc[:, 1:].assign(group=[form.format(name) for name in table.iloc[:, 0]]) for form, table in tables.items()]
    return pd.concat(rows, ignore_index=True)


def earned(book: pd.DataFrame) -> pd.DataFrame:
    """The rows of a book that are money, and `label`, which says what each is."""
    money = book[book["statistic"].isin(BOOK)]
    return money.assign(label=[statistic_named(name).label for name in money["statistic"]])


def what_to_look_at(found: Analysis) -> list[str]:
    """Sentences: how to read the tables, which clients cost money, what winning costs, and where a maker's risk went."""
    blocks = f"{found.blocks:,} blocks of {found.block_steps:,} steps"
    intervals = f"± half of a 95 % interval, by a bootstrap of {blocks}; none for who is in fewer than {FEWEST_RUNS}."
    if found.blocks < FEWEST_RUNS:
        intervals = f"No intervals: the requests span {blocks}, and a bootstrap needs {FEWEST_RUNS} of them."
    return [
        "Markout: what the mid's move adds to a unit, seen from the desk; below 0, clients knew better. Yield: spread and "
        f"markout of what was won. {intervals}",
        *_toxic(found),
        *_winners_curse(found),
        *_inventory(found),
    ]


def _toxic(found: Analysis) -> list[str]:
    """Whose requests cost money, by their intervals."""
    clients, after = found.clients, later(found)
    if clients["markout_bp_high"].isna().all():
        return ["Nothing is sure of any client: the log is too short for intervals, or no mid is known after its requests."]
    toxic = clients[clients["markout_bp_high"] < 0]
    if toxic.empty:
        return [f"No client's interval lies below 0 {after} later: what these requests tell, none of {len(clients):,} is toxic."]
    worst = toxic.iloc[0]
    markout, earned = (str(in_columns(toxic.head(1), name)[0]) for name in ("markout_bp", "yield_bp"))
    share = f"what was won of it, {100 * worst['share']:.0f} % of all that was won, yields {earned} bp"
    won = share if math.isfinite(worst["yield_bp"]) else "nothing was won of it whose markout is known"
    said = f"Look at {worst['client']} first: {after} later its requests are worth {markout} bp to the desk; {won}."
    chance = (
        f"the 95 % interval of the markout lies below 0, as it does by chance for one in {2 / (1 - LEVEL):.0f} harmless clients"
    )
    losing = int((toxic["yield_bp_high"] < 0).sum())
    lost = f" After spread, {losing:,} of them lost money, by their intervals." if toxic["yield_bp_high"].notna().any() else ""
    return [said, f"Toxic clients: {len(toxic):,} of {len(clients):,} ({chance}).{lost}"]


def _winners_curse(found: Analysis) -> list[str]:
    """What was won beside all that was asked for."""
    row = found.total.iloc[0]
    if not math.isfinite(row["won_markout_bp"]):
        return ["Nothing was won whose markout is known."]
    sure = row["won_markout_bp_high"] < row["markout_bp_low"]
    return ["The winner's curse: what was won moves further against the desk than what was asked for."] if sure else []


def _inventory(found: Analysis) -> list[str]:
    """Where the risk of a run's maker went."""
    if found.book is None:
        return []
    rows = {str(row["statistic"]): row for row in found.book.to_dict("records")}
    hedging, risk = (str(in_columns(found.book[found.book["statistic"] == name], "value")[0]) for name in _COSTS)
    kept, life = 100 * rows["internalization"]["value"], rows["half_life_hours"]
    ends = f"half of a position is gone after {life['value']:.3g} hours [{life['value_low']:.3g}, {life['value_high']:.3g}]"
    fades = ends if math.isfinite(life["value_high"]) else "whether positions fade the replicas do not tell"
    return [
        f"Hedging cost {hedging}, risk cost {risk}. At the end {kept:.1f} % of its volume is left as a position, and {fades}."
    ]
