"""The command `sweep`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealermarket import interrupt
from dealermarket.commands.console import announce_compiling, open_console, progress, rate
from dealermarket.commands.options import Policies, Seed, Settings, Threads, flag, number_of_threads, place, repeated
from dealermarket.errors import ParameterError

if TYPE_CHECKING:
    from dealermarket.questions import Swept
    from dealermarket.questions.folder import QuestionFolder

SWEEPS = Path("sweeps")
MEASURES = ("pnl", "market_share", "mean_abs_position")
BEST = "best"


def sweep(
    scenario: Annotated[str | None, Parameter(help="A preset's name or a TOML file.")] = None,
    /,
    *,
    vary: Annotated[
        tuple[str, ...],
        repeated(
            "--vary", "A field and its values, PATH=v1,v2,... or PATH=low:high:COUNT[:log]; with --sample, PATH=low:high[:log]."
        ),
    ] = (),
    sample: Annotated[int | None, Parameter(help="So many points in the ranges, spread evenly, in place of a grid.")] = None,
    measure: Annotated[
        str | None, Parameter(help=f"Statistics to show, the first of which ranks the points; {','.join(MEASURES)} if not given.")
    ] = None,
    maker: Annotated[str | None, Parameter(help="Whose statistics; those of the first maker that varies if not given.")] = None,
    against: Annotated[
        str | None, Parameter(help="Show differences to this point: its values, such as 1.3,none, or best; else to SCENARIO.")
    ] = None,
    settings: Settings = (),
    policies: Policies = (),
    steps: Annotated[int | None, Parameter(help="Steps of each replica; the scenario's own if not given.")] = None,
    replicas: Annotated[int | None, Parameter(help="Independent replicas of each point; 1000 if not given.")] = None,
    seed: Seed = None,
    threads: Threads = None,
    out: Annotated[Path | None, place("The new folder of the sweep; sweeps/NAME-1 and on if not given.")] = None,
    resume: Annotated[Path | None, place("Finish the sweep in this folder, which was interrupted, instead.")] = None,
    as_json: Annotated[bool, flag("Print all numbers as JSON, and nothing else.", "--json")] = False,
) -> None:
    """Run a market at many points, fields varied, and print what each brings, with paired differences; a table and a picture."""
    from dealermarket.model.scenario import Scenario
    from dealermarket.policies.named import with_policies
    from dealermarket.questions.folder import QuestionFolder
    from dealermarket.runs.work_folder import new_folder

    workers = number_of_threads(threads)
    if resume is not None:
        given = (scenario, sample, measure, maker, against, steps, replicas, seed, out)
        if vary or settings or policies or any(each is not None for each in given):
            raise ParameterError("--resume: takes everything but --threads from the folder; leave the rest out")
        folder = QuestionFolder.open(resume)
        folder.check_question("sweep")
        if folder.complete:
            folder.check_files()
            open_console(stderr=True).print(
                f"{resume} is complete already: {resume / 'sweep.csv'}", highlight=False, soft_wrap=True
            )
            return
        with QuestionFolder.taken(resume) as folder:
            _answer(folder, workers, as_json, resumed=True)
        return
    if scenario is None:
        raise ParameterError("SCENARIO: give a preset's name or a TOML file; dealermarket scenarios lists the presets")
    clock = (f"steps={steps}",) if steps is not None else ()
    market = with_policies(Scenario.load(scenario, (*settings, *clock)), policies)
    asked = {
        "vary": list(vary),
        "sample": sample,
        "measures": _names(measure),
        "maker": maker,
        "against": against,
        "replicas": replicas,
        "seed": seed or 0,
    }
    _check(asked, market)
    with new_folder(out, SWEEPS, market.name) as path, QuestionFolder.create(path, "sweep", market, asked) as folder:
        _answer(folder, workers, as_json)


def _names(measure: str | None) -> list[str]:
    """The statistics to show. Raises ParameterError for one that is none."""
    from dealermarket.runs.statistics import statistic_named

    names = list(MEASURES) if measure is None else [name.strip() for name in measure.split(",") if name.strip()]
    if not names:
        raise ParameterError("--measure: must name a statistic, such as pnl; dealermarket run --json lists them")
    return [statistic_named(name).name for name in dict.fromkeys(names)]


def _check(asked: Mapping[str, Any], market: Any) -> None:
    """Raises ParameterError for what cannot be asked of a market, before anything is written."""
    made = _made(asked, market)
    if asked["maker"] is not None:
        from dealermarket.policies.named import maker_index

        maker_index(market, asked["maker"])
    if asked["against"] not in (None, BEST):
        made.label_of(asked["against"])


def _made(asked: Mapping[str, Any], market: Any) -> Any:
    from dealermarket.questions import Sweep, varied_from
    from dealermarket.questions.sweep import REPLICAS

    count = REPLICAS if asked["replicas"] is None else asked["replicas"]
    fields = [varied_from(text) for text in asked["vary"]]
    return Sweep.of(market, fields, sample=asked["sample"], replicas=count, seed=asked["seed"])


def _answer(folder: QuestionFolder, threads: int, as_json: bool, resumed: bool = False) -> None:
    """Runs what is left to run, writes the answer and prints it."""
    asked, quiet = folder.meta["asked"], open_console(stderr=True)
    made = _made(asked, folder.scenario)
    announce_compiling(quiet, folder.scenario)
    interrupt.keep(folder.path, "sweep")
    folder.make_ready()
    began = time.monotonic()
    with progress(quiet, made.market_steps) as report:
        swept = made.run(threads, report, folder.measured)
    seconds = time.monotonic() - began
    shown = _Shown(swept, asked)
    folder.finish(shown.write, seconds)
    if as_json:
        print(shown.as_json())
        return
    console = open_console()
    for line in shown.heading():
        console.print(line, highlight=False, soft_wrap=True)
    for table in shown.tables(console.width):
        console.print(table)
    speed = f"{made.market_steps:,} market steps in {seconds:.1f} s, {rate(made.market_steps / max(seconds, 1e-9))}; "
    console.print(f"{'' if resumed else speed}kept in {folder.path}", highlight=False, soft_wrap=True)


class _Shown:
    """A sweep as it is shown and kept."""

    MOST_ROWS = 24

    def __init__(self, swept: Swept, asked: Mapping[str, Any]) -> None:
        from dealermarket.questions.sweep import AS_IT_IS
        from dealermarket.runs.statistics import statistic_named

        self.swept, self.names = swept, tuple(asked["measures"])
        self.maker = swept.sweep.maker if asked["maker"] is None else swept.maker_named(asked["maker"])
        self.first = statistic_named(self.names[0])
        self.ranked = self.first.more_is_better is not None
        self.best = swept.best(self.first.name, self.maker) if self.ranked else None
        against = asked["against"]
        if against == BEST:
            if self.best is None:
                raise ParameterError(f"--against best: neither more nor less of {self.first.name} is better; name a point")
            self.against = self.best
        else:
            self.against = AS_IT_IS if against is None else swept.sweep.label_of(against)
        self.equals = swept.as_good_as_the_best(self.first.name, self.maker) if self.ranked else None
        self.frame = swept.frame(self.against)

    def write(self, folder: Path) -> list[Path]:
        """The files of the answer."""
        from dealermarket.disk import replacing
        from dealermarket.plots.comparison import save
        from dealermarket.plots.sweep import SweptField, plot_sweep
        from dealermarket.questions import Varied, short_names

        written = []
        for kind in ("csv", "parquet"):
            path = folder / f"sweep.{kind}"
            with replacing(path) as temporary:
                if kind == "csv":
                    self.frame.to_csv(temporary, index=False)
                else:
                    self.frame.to_parquet(temporary, index=False)
            written.append(path)
        fields, points = self.swept.sweep.fields, self.swept.sweep.points
        names = short_names([field.path for field in fields])
        drawn = [
            SweptField(field.path, name, list(dict.fromkeys(point.settings[n].label for point in points)))
            for n, (field, name) in enumerate(zip(fields, names, strict=True))
        ]
        sampled = not all(isinstance(field, Varied) for field in fields)
        picture = plot_sweep(
            self.frame, drawn, self.names, self.maker, best=self.equals, against=self.against, drawn_points=sampled
        )
        if picture is not None:
            save(picture, folder / "sweep.png")
            written.append(folder / "sweep.png")
        return written

    def as_json(self) -> str:
        """All numbers; what is not a number is null."""
        rows = json.loads(self.frame.to_json(orient="records", double_precision=15))
        data = {
            "scenario": self.swept.sweep.scenario.name,
            "replicas": self.swept.sweep.replicas,
            "seed": self.swept.sweep.seed,
            "maker": self.maker,
            "best": self.best,
            "as_good_as_the_best": []
            if self.equals is None
            else [p for p, e in zip(self.swept.labels, self.equals, strict=True) if e],
            "against": self.against,
            "rows": rows,
        }
        return json.dumps(data, indent=2, ensure_ascii=False)

    def heading(self) -> list[str]:
        """What was asked, in lines."""
        sweep = self.swept.sweep
        replicas = f"{sweep.replicas:,} {'replica' if sweep.replicas == 1 else 'replicas'} of {sweep.scenario.steps:,} steps"
        common = (
            "on common prices and orders" if len(sweep.studies) == 1 else f"on {len(sweep.studies)} sets of tapes of one seed"
        )
        return [f"{sweep.scenario.name}, {self.maker}: {len(sweep.points):,} points, {replicas} each, {common}"]

    def tables(self, width: int) -> list[Any]:
        """A row a point, the scenario as it is first; of many points the best."""
        from dealermarket.commands.tables import Column, Together, split_tables
        from dealermarket.estimates import plus_minus
        from dealermarket.questions import short_names
        from dealermarket.runs.statistics import statistic_named

        swept = self.swept
        rows, title = self._rows()
        settings = [swept.sweep.points[n].settings for n in rows]
        names = short_names([field.path for field in swept.sweep.fields])
        labels = [Column("", ["", *(self._mark(n) for n in rows)], "left")]
        labels += [
            Column(name, ["as it is" if k == 0 else "", *(each[k].label for each in settings)], "right")
            for k, name in enumerate(names)
        ]
        columns: list[Column | Together] = []
        for name in self.names:
            statistic, of_points = statistic_named(name), swept.estimates(name, self.maker)
            estimates = [swept.estimate_as_it_is(name, self.maker), *(of_points[n] for n in rows)]
            group = [Column(statistic.column_heading, plus_minus(estimates, statistic.scale))]
            if name == self.first.name:
                found = swept.differences(name, self.maker, self.against)
                texts = plus_minus([found[n] for n in rows], statistic.scale)
                starred = [
                    f"{text} {'*' if found.low[n] > 0 or found.high[n] < 0 else ' '}" for text, n in zip(texts, rows, strict=True)
                ]
                group.append(Column(f"difference to\n{self._against_said()}", ["", *starred]))
            columns.append(Together(group))
        return split_tables(title, labels, columns, width)

    def _against_said(self) -> str:
        return "the scenario" if self.against == "as it is" else f"{self.against}"

    def _rows(self) -> tuple[Sequence[int], str]:
        """Numbers of the points to show, and what they are."""
        import numpy as np

        count = len(self.swept.labels)
        what = "mean ± half of its 95 % interval; differences are paired, *: their interval leaves out 0"
        if count <= self.MOST_ROWS:
            return range(count), what
        if not self.ranked:
            return range(self.MOST_ROWS), f"The first {self.MOST_ROWS} of {count:,} points: {what}"
        values = self.swept.estimates(self.first.name, self.maker).value
        order = np.argsort(-values if self.first.more_is_better else values, kind="stable")
        return order[: self.MOST_ROWS].tolist(), f"The best {self.MOST_ROWS} of {count:,} points by {self.first.name}: {what}"

    def _mark(self, n: int) -> str:
        if self.equals is None:
            return ""
        return "best" if self.swept.labels[n] == self.best else "=" if self.equals[n] else ""
