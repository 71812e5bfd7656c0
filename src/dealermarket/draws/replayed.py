"""Recorded orders as the orders of replicas: the same for each, or those of the times of its prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.recorded import RecordedPaths
from dealermarket.draws.streams import Episode
from dealermarket.errors import DataError
from dealermarket.model.scenario import Scenario
from dealermarket.reading.orders import OrderLog, makers_in
from dealermarket.values import suggestion

if TYPE_CHECKING:
    from dealermarket.draws.arithmetic import TapeArrays

Array = NDArray[Any]


class ReplayedOrders:
    """The orders of replicas of a scenario with recorded ones, executed in the order of their times; those of the same time, as
    they stand in the file.

    Where times are those of recorded prices, `windows` are the first and the last of their windows in which there are orders."""

    def __init__(self, scenario: Scenario, log: OrderLog, paths: RecordedPaths | None) -> None:
        self._scenario, self._log, self._rows = scenario, log, log.rows
        timed = paths is not None and paths.windows is not None and log.times.is_clock == (paths.seconds is not None)
        investor, asked, step, _ = self._each(
            self._investors,
            self._panels,
            lambda: self._steps_of_prices(paths) if timed and paths is not None else self._steps(paths),
            self._check_sizes,
        )
        self.notes, self.windows = list(log.notes), None
        window = np.zeros(len(step), np.int64)
        if timed and paths is not None:
            window, step, self.windows = self._places(paths, step)
        order = np.argsort(log.times.values, kind="stable")
        order = order[window[order] >= 0]
        self._investor, self._side, self._size = (column[order] for column in (investor, log.side, log.size))
        self._reservation = None if log.reservation is None else log.reservation[order]
        self._asked = None if asked is None else asked[order]
        count, steps = int(window.max()) + 1, scenario.steps
        bounds = np.arange(count)[:, np.newaxis] * steps + np.arange(steps + 1)
        self._starts = np.searchsorted((window * steps + step)[order], bounds)

    @classmethod
    def of(cls, scenario: Scenario, paths: RecordedPaths | None) -> ReplayedOrders | None:
        """Those of a scenario on such prices; None where its orders are drawn.

        Raises DataError and ParameterError for a file that will not do."""
        return None if scenario.orders is None else cls(scenario, scenario.orders.log(), paths)

    @property
    def has_reservations(self) -> bool:
        """Whether the file says at what price requests trade."""
        return self._reservation is not None

    @property
    def has_panels(self) -> bool:
        """Whether the file says who is asked."""
        return self._asked is not None

    @property
    def most(self) -> int:
        """The orders of the replica that has the most."""
        return int((self._starts[:, -1] - self._starts[:, 0]).max())

    @property
    def most_of_a_step(self) -> int:
        """The orders of the step that has the most."""
        return int(np.diff(self._starts, axis=1).max())

    def volume_moment(self, order: int) -> float:
        """The sum of size^`order` of the orders of a step, in the mean of all steps of all replicas that differ."""
        return float(np.sum(self._size**order)) / (len(self._starts) * self._scenario.steps)

    def count(self, episodes: Sequence[Episode]) -> int:
        """How many orders some episodes have in all."""
        return sum(int(starts[-1] - starts[0]) for starts in map(self._starts_of, episodes))

    def write(self, episodes: Sequence[Episode], tape: TapeArrays) -> None:
        """Writes all that is recorded of the orders of episodes into a tape with room for them."""
        first = 0
        for b, episode in enumerate(episodes):
            starts = self._starts_of(episode)
            there, here = slice(starts[0], starts[-1]), slice(first, first + starts[-1] - starts[0])
            tape.order_start[b] = starts - starts[0] + first
            tape.investor[here], tape.side[here], tape.size[here] = self._investor[there], self._side[there], self._size[there]
            if self._reservation is not None:
                tape.reservation[here] = self._reservation[there]
            if self._asked is not None:
                tape.asked[here] = self._asked[there]
            first = here.stop

    def _starts_of(self, episode: Episode) -> Array:
        """Where the orders of each step of an episode begin, (T + 1,): those of its window, if prices are windows."""
        return np.asarray(self._starts[(episode.replica + episode.number) % len(self._starts)])

    @staticmethod
    def _each(*readings: Callable[[], Any]) -> list[Any]:
        """What each gives. Raises DataError with the problems of all."""
        found, problems = [], []
        for reading in readings:
            try:
                found.append(reading())
            except DataError as error:
                problems.append(f"orders.file: {error}")
        if problems:
            raise DataError("\n".join(problems))
        return found

    def _investors(self) -> Array:
        """The number of each order's investor, (orders,)."""
        known = {agent.name: n for n, agent in enumerate(self._scenario.agents)}
        column = self._log.client
        unknown = [name for name in column.names if name not in known]
        wrong = np.isin(column.names, unknown)[column.number]
        way_out = suggestion(unknown[0], known) if unknown else ""
        self._rows.refuse("client", wrong, "clients that are no investors of the scenario", way_out=way_out)
        return np.array([known[name] for name in column.names])[column.number]

    def _panels(self) -> Array | None:
        """Which makers each order asks, (orders, M), all where a cell is empty; None where the file does not say."""
        column, makers = self._log.asked, self._scenario.maker_names
        if column is None:
            return None
        lists = [makers_in(cell) for cell in column.names]
        unknown = [[name for name in names if name not in makers] for names in lists]
        wrong = np.array([bool(names) for names in unknown] + [False])[column.number]  # of an empty cell, number -1, the last
        first = next((name for names in unknown for name in names), "")
        way_out = f"; there is no {first!r}{suggestion(first, makers)}"
        self._rows.refuse("asked", wrong, "other names than those of makers", way_out=way_out)
        nobody = np.array([not names for names in lists] + [False])[column.number]
        self._rows.refuse("asked", nobody, "no names", way_out="; an empty cell asks all makers")
        return np.array([[maker in names for maker in makers] for names in lists] + [[True] * len(makers)])[column.number]

    def _check_sizes(self) -> None:
        largest, size = self._scenario.exchange.largest_trade, self._log.size
        what, way_out = f"sizes above 0.99 v_max = {largest:g}", "; raise exchange.v_max, or split the orders"
        self._rows.refuse("size", size > largest, what, way_out=way_out)

    def _steps(self, paths: RecordedPaths | None) -> Array:
        """The step in which each order comes, (orders,), where times count those of a replica."""
        times, steps = self._log.times, self._scenario.steps
        if times.is_clock:
            whose = (
                "drawn" if paths is None else "made of blocks" if paths.windows is None else "recorded by the number of the step"
            )
            raise DataError(
                f"{self._rows.heading('time')}: holds dates and times, and the prices are {whose}; give numbers of steps, "
                f"0..{steps - 1}, or prices recorded with their times"
            )
        outside = (times.values < 0) | (times.values >= steps)
        way_out = "; leave them out, or run more steps"
        self._rows.refuse("time", outside, f"steps outside of 0..{steps - 1}", way_out=way_out)
        return np.floor(times.values).astype(np.int64)

    def _steps_of_prices(self, paths: RecordedPaths) -> Array:
        """The step of the recorded prices in which each order comes, (orders,): the last one that began by then."""
        return np.floor(self._log.times.values / (paths.seconds or 1.0) * (1.0 + 1e-15)).astype(np.int64)  # beyond rounding

    def _places(self, paths: RecordedPaths, steps: Array) -> tuple[Array, Array, tuple[int, int]]:
        """In which window, counted from the first with orders, and in which of its steps each order comes, (orders,), the window
        being -1 where it is none; and which windows are the first and the last."""
        window, step = paths.windows_of(steps)
        inside = window >= 0
        if not inside.any():
            raise DataError(
                f"orders.file: {self._rows.heading('time')}: none lies in the windows of the recorded prices; take orders and "
                "prices of the same times, fewer steps, or another step_seconds"
            )
        if not inside.all():
            self.notes.append(f"left out {self._rows.rows(~inside)}: outside of the windows of the recorded prices")
        first, last = int(window[inside].min()), int(window[inside].max())
        return np.where(inside, window - first, -1), step, (first, last)
