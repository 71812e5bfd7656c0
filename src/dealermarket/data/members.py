"""The investors of a calibrated scenario: the clients of a log or, where these are many, groups of clients who behave alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.data.groups import Trait, groups_of, mean_trait
from dealermarket.data.log import RequestLog
from dealermarket.data.outcomes import WON

Array = NDArray[Any]

MOST_CLIENTS = 100
"""More clients than these become groups of clients that are alike."""


@dataclass(frozen=True, eq=False)
class Members:
    """Clients, or groups of them."""

    names: tuple[str, ...]
    counts: Array  # (members,) how many clients each stands for
    of_client: Array  # (clients,) which each client is of
    of_request: Array  # (requests,)

    def __len__(self) -> int:
        return len(self.names)

    def usual(self, tier: Array, requests: Array) -> Array:
        """The tier of most requests of each, (members,), from those of clients and how often these ask, (clients,) each."""
        tiers = int(tier.max()) + 1
        table = np.bincount(self.of_client * tiers + tier, weights=requests, minlength=len(self) * tiers)
        return np.asarray(np.argmax(table.reshape(-1, tiers), axis=1))

    def participants(self, number: int) -> list[str]:
        """The names that the clients of one have in the scenario."""
        name, count = self.names[number], int(self.counts[number])
        return [name] if count == 1 else [f"{name}-{index}" for index in range(count)]


def members_of(log: RequestLog, clients: tuple[str, ...], client: Array, surcharge: Array, beyond: Array, move: Array) -> Members:
    """The members of a log whose requests are of `client` (requests,), counted from 0.

    Clients are alike by how often they ask and how much, which side they take, whether the mid then `move`s their way, what
    `surcharge` the desk quotes them over its curve, and how much more often it wins than its quote promises (`beyond`), each
    (requests,), NaN where not known."""
    count = len(clients)
    requests = np.bincount(client, minlength=count)
    if count <= MOST_CLIENTS:
        return Members(clients, np.ones(count, np.int64), np.arange(count), client)

    def mean(values: Array, less: str, more: str) -> Trait:
        return mean_trait(values, client, count, less, more)

    traits = [
        Trait(np.log(requests), 1.0 / np.sqrt(requests), "rare", "frequent"),
        mean(np.log(log.size), "small", "large"),
        mean(log.side.astype(np.float64), "selling", "buying"),
        mean(np.where(move == 0, np.nan, log.side * np.sign(move)), "uninformed", "informed"),
        mean(surcharge, "low-quotes", "high-quotes"),
        mean(beyond, "hard-to-win", "easy-to-win"),
    ]
    group, names = groups_of(traits, requests)
    return Members(tuple(names), np.bincount(group), group, group[client])


def won_beyond(outcome: Array, predicted: Array) -> Array:
    """By how much more than its fitted probability each request was won, (requests,); NaN where there is none."""
    return np.asarray((outcome == WON) - predicted[:, WON])
