"""A model of a driver and its workers, on paper: when is the driver the bottleneck, and what do failures cost?

Each worker has `ahead` chunks under way, runs one at a time, and takes the next as soon as one is done. Results queue for the
driver, which needs a time of its own for each: to gather it, to write it, and to send another chunk. A worker that fails loses
what it has under way; another one is there after a while. Prints one JSON object a line.
"""

from __future__ import annotations

import heapq
import json
from collections import deque
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Schedule:
    """Seconds where nothing else is said."""

    chunks: int = 10_000
    workers: int = 1_000
    chunk: float = 1.0  # the mean of what a chunk takes
    spread: float = 0.2  # the standard deviation of its logarithm
    driver: float = 0.005  # for each chunk, of the driver's time
    between_failures: float = 36_000.0  # of a worker, the mean
    absence: float = 30.0  # of a worker that failed
    ahead: int = 2

    def simulated(self, seed: int = 0) -> dict[str, float]:
        """How long it takes, how busy driver and workers are, and how many chunks were lost."""
        draw = np.random.default_rng(seed)
        mu = np.log(self.chunk) - self.spread**2 / 2
        left, done, lost, now, driver_busy, worked = self.chunks, 0, 0, 0.0, 0.0, 0.0
        waiting: list[int] = [0] * self.workers  # chunks that a worker has and has not begun
        runs = [False] * self.workers
        absent = [False] * self.workers
        results: deque[int] = deque()
        events: list[tuple[float, int, str, int]] = []
        count, driver_is_free, again = 0, True, 0

        def at(when: float, what: str, worker: int) -> None:
            nonlocal count
            count += 1
            heapq.heappush(events, (when, count, what, worker))

        def begin(worker: int) -> None:
            nonlocal worked
            if waiting[worker] and not runs[worker] and not absent[worker]:
                waiting[worker] -= 1
                runs[worker] = True
                takes, fails = float(draw.lognormal(mu, self.spread)), float(draw.exponential(self.between_failures))
                worked += min(takes, fails)
                at(now + min(takes, fails), "result" if takes < fails else "failure", worker)

        sends = deque(worker for _ in range(self.ahead) for worker in range(self.workers))
        at(0.0, "driver", -1)
        while done < self.chunks:
            now, _, what, worker = heapq.heappop(events)
            if what == "result":
                runs[worker] = False
                results.append(worker)
                begin(worker)
            elif what == "failure":
                lost += 1 + waiting[worker]
                again += 1 + waiting[worker]
                runs[worker], absent[worker] = False, True
                sends.extend([worker] * (1 + waiting[worker]))
                waiting[worker] = 0
                at(now + self.absence, "back", worker)
            elif what == "back":
                absent[worker] = False
                begin(worker)
            else:
                driver_is_free = True
            if driver_is_free and (results or (sends and left + again > 0)):
                driver_is_free = False
                if results:
                    done += 1
                    sends.append(results.popleft())
                if sends and left + again > 0:
                    to = sends.popleft()
                    if again:
                        again -= 1
                    else:
                        left -= 1
                    waiting[to] += 1
                    begin(to)
                driver_busy += self.driver
                at(now + self.driver, "driver", -1)
        ideal = self.chunks * self.chunk / self.workers
        return {
            "seconds": round(now, 1),
            "of_ideal": round(ideal / now, 3),
            "driver_busy": round(driver_busy / now, 3),
            "workers_busy": round(worked / now / self.workers, 3),
            "lost": lost,
        }


if __name__ == "__main__":
    for driver in (0.002, 0.005):
        for chunk in (0.1, 1.0, 5.0, 30.0):
            for between in (36_000.0, 3_600.0):
                schedule = Schedule(chunk=chunk, driver=driver, between_failures=between)
                print(json.dumps(asdict(schedule) | schedule.simulated()))
