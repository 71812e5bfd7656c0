"""The command `reproduce`."""

from __future__ import annotations

from dealermarket.commands.console import open_console
from dealermarket.commands.report import NEEDS_EXTRA, ReportOptions, begin_report, command_of, extent_of, resume_report
from dealermarket.program import program


def reproduce(*, options: ReportOptions | None = None) -> None:
    """Run every experiment, of the papers and beyond them, and write the report in which their numbers stand beside ours."""
    from dealermarket.papers import Plan
    from dealermarket.papers.registry import shipped_experiments
    from dealermarket.papers.trained import is_trainable

    options = options or ReportOptions()
    if options.resume is not None:
        resume_report("reproduce", options.resume, options, alone=True)
        return
    known = shipped_experiments()
    if options.quick:
        chosen = {name: experiment for name, experiment in known.items() if not (experiment.trains or experiment.long)}
    else:
        chosen = {name: experiment for name, experiment in known.items() if not experiment.trains or is_trainable()}
    left_out = [name for name in known if name not in chosen]
    said = ""
    if left_out:
        why = (
            "they take too long for a quick look (a tenth of one: dealermarket experiment NAME --quick)"
            if options.quick
            else f"they train makers, which {NEEDS_EXTRA}"
        )
        said = f"Left out: {', '.join(left_out)}; {why}."
        open_console(stderr=True).print(said, highlight=False, soft_wrap=True)
    plans = [
        Plan.of(experiment, quick=options.quick, command=command_of(name, [], options)) for name, experiment in chosen.items()
    ]
    seeded = f" --seed {options.seed}" if options.seed else ""
    begin_report("reproduce", "reproduction", plans, options, extent_of(options, f"{program()} reproduce{seeded}", said))
