"""A backend of Matplotlib that shows windows on no screen: `matplotlib.use("module://screen")`."""

from __future__ import annotations

from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

windows: list[FigureCanvas] = []  # those that were opened
frames: list[int] = []  # the window, by its place in that list, of each frame that was drawn


class FigureManager(FigureManagerBase):
    """What holds a window."""

    def show(self) -> None:
        windows.append(self.canvas)


class FigureCanvas(FigureCanvasAgg):
    """What is drawn on."""

    manager_class = FigureManager
    required_interactive_framework = "headless"  # what Matplotlib takes a machine without a screen for

    def draw_idle(self, *_: object, **__: object) -> None:
        self.draw()
        frames.append(windows.index(self))

    def start_event_loop(self, timeout: float = 0) -> None:
        assert 0 < timeout < 1
