"""What is shown of makers that learn: their last day, kept while a market is played, and frames of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from gymnasium import logger
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from dealermarket.draws.files import volume_moment
from dealermarket.errors import ParameterError
from dealermarket.plots.day import DPI, SIZE, Day, draw_days, shown_steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dealermarket.model.scenario import Scenario
    from dealermarket.runs.session import Session

Array = NDArray[Any]

HUMAN, RGB_ARRAY = "human", "rgb_array"
FPS = 4
_MOST_MAKERS = 3  # side by side


class _Kept(NamedTuple):
    """What is kept of each step, (B, M), the price (B, 1): what happened in it, and what is held and known after it."""

    steps: Array  # MAKER_STEP
    totals: Array  # MAKER_TOTALS
    flow: Array  # MAKER_FLOW
    pricing: Array  # as in Rules
    position: Array
    price: Array  # PRICE


class DayLog:
    """The last day of the learners of a session."""

    def __init__(self, session: Session, learners: Sequence[str]) -> None:
        self._session, self._learners = session, tuple(learners)
        self._places = [session.scenario.maker_names.index(maker) for maker in learners]
        state, steps = session.state, session.record.steps
        self._live = _Kept(steps, state.totals, state.flow, state.pricing, state.position, state.price)
        self._bytes = [values.view(np.uint8) for values in self._live]  # copied as such: NumPy takes 20 times longer over records
        self._rows: deque[list[Array]] = deque(maxlen=shown_steps(session.scenario) + 1)

    def begin(self) -> None:
        """New markets, at their first step."""
        self._rows.clear()
        self.add()

    def add(self) -> None:
        """A step is over."""
        steps, *others = self._bytes
        over = (self._session.step - 1) & 1  # where the engine writes two steps in turn
        self._rows.append([steps[:, over].copy(), *(values.copy() for values in others)])

    def day(self, market: int, learner: int = 0) -> Day:
        """That of one learner in one market."""
        session, scenario = self._session, self._session.scenario
        place = self._places[learner]
        columns = zip(self._live, zip(*self._rows, strict=True), strict=True)
        kept = _Kept(*(np.array(column)[:, market].view(live.dtype) for live, column in columns))
        rows = _Kept(*(values[:, min(place, values.shape[1] - 1)] for values in kept))
        now, count = session.step, len(self._rows) - 1
        done = slice(now - count, now)
        mid = rows.price["mid"].copy()
        if session.ended:
            mid[-1] = np.nan  # that of the last step once more
        spread = np.array(session.tape.reference_spread[market, done])
        size = _usual_size(scenario)
        scale = 1e4 / (1.0 if scenario.market.spreads_scale_with_price else mid[:-1])
        return Day(
            scenario=scenario,
            maker=self._learners[learner],
            now=now,
            mid=mid,
            position=rows.position,
            pnl=rows.totals["pnl"],
            earned=rows.totals["spread_revenue"] + rows.totals["hedging_cost"],
            bought=rows.flow["bought"][1:],
            sold=rows.flow["sold"][1:],
            hedge=rows.steps["hedge_size"][1:],
            ask=scale * self._quotes(learner, rows.pricing[1:], spread, size, 1),
            bid=scale * self._quotes(learner, rows.pricing[1:], spread, size, -1),
            reference=scale * scenario.exchange.reference_spread(0.0, spread),
            size=size,
        )

    def _quotes(self, learner: int, pricing: Array, spread: Array, size: float, side: int) -> Array:
        """What a client of the best tier paid in each step, (n,)."""
        scenario = self._session.scenario
        own = scenario.makers[self._places[learner]].pricing
        names = ("eps_buy", "eps_sell", *own.actions)
        rules = (own.replace(**{name: float(record[name]) for name in names}) for record in pricing)
        quotes = [float(rule.spread(size, 0, s0, scenario.exchange, side)) for rule, s0 in zip(rules, spread, strict=True)]
        return np.array(quotes)

    def days(self, market: int) -> list[Day]:
        """Those of the first few learners."""
        return [self.day(market, learner) for learner in range(min(len(self._learners), _MOST_MAKERS))]


def _usual_size(scenario: Scenario) -> float:
    """The mean size of an order, units of the asset."""
    orders = volume_moment(scenario, 0)
    return volume_moment(scenario, 1) / orders if orders else 0.0


def check_render_mode(render_mode: str | None, modes: Sequence[str]) -> None:
    """Raises ParameterError for a mode that is not there."""
    if render_mode is not None and render_mode not in modes:
        raise ParameterError(f"render_mode: must be None or one of {', '.join(modes)}, got {render_mode!r}")


def picture(days: Sequence[Day]) -> NDArray[np.uint8]:
    """A picture (height, width, 3) of the makers' days."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas: Any = FigureCanvasAgg(Figure(figsize=_size(days), dpi=DPI))
    draw_days(days, canvas.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _size(days: Sequence[Day]) -> tuple[float, float]:
    return (1 + 0.75 * (len(days) - 1)) * SIZE[0], SIZE[1]


class Viewer:
    """What an environment of this render mode shows."""

    def __init__(self, mode: str | None) -> None:
        self._mode, self._window = mode, _Window()

    def show(self, log: DayLog | None) -> None:
        """The next frame, where somebody looks on."""
        if self._mode == HUMAN and log is not None:
            self._window.show(log.days(0))

    def frame(self, log: DayLog | None, market: int = 0) -> NDArray[np.uint8] | None:
        """What `render` returns of a market. Raises ResetNeeded where nothing has been played."""
        if self._mode is None:
            logger.warn("render: there is nothing to see without a render_mode; make the environment with 'rgb_array' or 'human'")
            return None
        if log is None:
            raise ResetNeeded("render: call reset first")
        return picture(log.days(market)) if self._mode == RGB_ARRAY else None

    def close(self) -> None:
        """Closes its window."""
        self._window.close()


class _Window:
    """A window on a screen that shows one frame after the other, FPS of them a second at most."""

    def __init__(self) -> None:
        self._figure: Figure | None = None
        self._nowhere = False  # there is no screen, and this was said
        self._shown = 0.0

    def show(self, days: Sequence[Day]) -> None:
        """The next frame; where no window can be opened, a warning says what to do."""
        if self._figure is None and not self._nowhere:
            self._open(days)
        if self._figure is None:
            return
        canvas = self._figure.canvas
        self._figure.clear()
        draw_days(days, self._figure)
        canvas.draw_idle()
        canvas.flush_events()
        left = self._shown + 1 / FPS - time.monotonic()
        if left > 0:
            canvas.start_event_loop(left)  # the window answers meanwhile
        self._shown = time.monotonic()

    def close(self) -> None:
        """Closes it, if it is open."""
        if self._figure is not None:
            from matplotlib import pyplot

            pyplot.close(self._figure)
            self._figure = None

    def _open(self, days: Sequence[Day]) -> None:
        from matplotlib import get_backend, pyplot

        figure = pyplot.figure(figsize=_size(days), dpi=DPI)
        if getattr(figure.canvas, "required_interactive_framework", None) is not None:
            self._figure = figure
            figure.show()
            return
        pyplot.close(figure)
        self._nowhere = True
        logger.warn(
            f"render_mode: 'human' shows nothing, as Matplotlib's backend {get_backend()!r} opens no windows; work on a desktop "
            "with Tk (or pip install PyQt6) and leave MPLBACKEND unset, or take render_mode='rgb_array'"
        )
