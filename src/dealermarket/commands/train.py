"""The command `train`."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from dealermarket import interrupt
from dealermarket.commands.console import announce_compiling, open_console, rate
from dealermarket.commands.options import flag, place, repeated, whole
from dealermarket.commands.training_display import described, introduce, mean_of, training_progress
from dealermarket.errors import DealerMarketError, ParameterError
from dealermarket.program import program

if TYPE_CHECKING:
    from dealermarket.learning.folder import TrainingFolder
    from dealermarket.learning.training import Point, Training

TRAININGS = Path("trainings")
NEEDED = ("gymnasium", "stable_baselines3", "tensorboard", "torch")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Options:
    """What is trained, on what, and how: fields of a training, those most used by names of their own."""

    makers: Annotated[
        tuple[str, ...],
        repeated("--maker", "Who learns; the first maker if not given. Several learn one policy together, in self-play."),
    ] = ()
    algorithm: Annotated[Literal["ppo", "a2c"] | None, Parameter(help="How it learns; ppo if not given.")] = None
    seed: Annotated[int | None, whole("Of everything random; 0 if not given.")] = None
    markets: Annotated[int | None, whole("Markets played side by side; 256 if not given.")] = None
    reward: Annotated[
        Literal["components", "pnl"] | None,
        Parameter(help="What a step is worth: the paper's four rewards, or mark-to-market P&L; components if not given."),
    ] = None
    settings: Annotated[
        tuple[str, ...],
        repeated(
            "--set",
            "Change a field of the training, such as reward.inventory_squared=2, controls.eps_buy=[-0.5,0.5] or "
            "hyperparameters.learning_rate=3e-4, or of its scenario, such as scenario.makers.1.policy.kind=adaptive.",
        ),
    ] = ()
    policies: Annotated[
        tuple[str, ...],
        repeated("--policy", "Another maker's policy, MAKER=POLICY, such as maker-2=adaptive or maker-2=FILE.npz."),
    ] = ()
    out: Annotated[Path | None, place("The new folder of the training; trainings/NAME-1 and on if not given.")] = None

    def as_settings(self, steps: int | None) -> list[str]:
        """The options that are fields of a training, as settings; those of --set come last."""
        fields = {
            "makers": list(self.makers) or None,
            "algorithm": self.algorithm,
            "steps": steps,
            "seed": self.seed,
            "markets": self.markets,
            "reward.weights": self.reward,
        }
        return [*(f"{path}={json.dumps(value)}" for path, value in fields.items() if value is not None), *self.settings]


def train(
    scenario: Annotated[
        str | None, Parameter(help="A preset's name, or the TOML file of a scenario or of a whole training.")
    ] = None,
    /,
    *,
    steps: Annotated[int | None, whole("Steps to learn from, those of all markets together; 2,000,000 if not given.")] = None,
    resume: Annotated[
        Path | None,
        place("Go on with the training in this folder instead: to its end, or to more --steps."),
    ] = None,
    as_json: Annotated[bool, flag("Print the outcome as JSON, and nothing else.", "--json")] = False,
    options: Options | None = None,
) -> None:
    """Train a maker's policy by playing against the others; needs the extra `learn`."""
    options = options or Options()
    _check_libraries()
    if resume is not None:
        _resume(resume, steps, alone=scenario is None and options == Options(), as_json=as_json)
        return
    if scenario is None:
        raise ParameterError("SCENARIO: give a preset's name or a TOML file, such as: dealermarket train learning")
    _begin(training_of(scenario, steps, options), options.out, as_json)


def training_of(scenario: str, steps: int | None, options: Options) -> Training:
    """The training that was asked for. Raises ParameterError for what cannot be."""
    from dealermarket.learning.training import Training
    from dealermarket.model.scenario import maker_index
    from dealermarket.policies.named import with_policies

    training = Training.load(scenario, options.as_settings(steps))
    for text in options.policies:
        named = training.scenario.maker_names[maker_index(training.scenario, text.partition("=")[0])]
        if named in training.makers:
            raise ParameterError(f"--policy {text!r}: {named} is to learn, so it has no other policy; leave it out")
    if options.policies:
        training = training.replace(scenario=with_policies(training.scenario, options.policies))
    return training


def _check_libraries() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise DealerMarketError(
            f"train: needs the extra 'learn' ({', '.join(missing)} not installed); install it with: "
            "pip install 'dealermarket[learn]'"
        )


def _begin(training: Training, out: Path | None, as_json: bool) -> None:
    """Begins a training and finishes it."""
    from dealermarket.learning.folder import TrainingFolder
    from dealermarket.runs.session import acting_policies
    from dealermarket.runs.work_folder import new_folder

    acting_policies(training.scenario, {})  # fails here, before anything is written
    with new_folder(out, TRAININGS, training.scenario.name) as path:
        _finish(path, training, 0, lambda: TrainingFolder.create(path, training), as_json)


def _resume(path: Path, steps: int | None, alone: bool, as_json: bool) -> None:
    """Goes on with the training in a folder; `alone` says that nothing but --steps was given."""
    from dealermarket.learning.folder import TrainingFolder

    if not alone:
        raise ParameterError("--resume: takes everything but --steps from the folder; leave the rest out")
    folder = TrainingFolder.open(path)
    before = folder.training.steps
    if steps is not None and steps < before:
        raise ParameterError(f"--steps: the training in {path} is one of {before:,} steps; give more, or leave it out")
    if folder.complete and steps in (None, before):
        said = f"{path} is complete already; train it for longer with --steps above {before:,}"
        folder.check_policy()
        open_console(stderr=True).print(said, highlight=False, soft_wrap=True)
        _print(folder, 0, 0.0, as_json)
        return
    with TrainingFolder.taken(path) as taken:
        taken.check_checkpoint()
        training = taken.training.replace(steps=max(steps or 0, taken.training.steps))
        _finish(path, training, taken.steps_done, lambda: taken.go_on(training), as_json)


def _finish(path: Path, training: Training, done: int, begin: Callable[[], TrainingFolder], as_json: bool) -> None:
    """Trains to the end, and says what came of it; `begin` makes the folder ready."""
    quiet = open_console(stderr=True)
    introduce(path, training, done, quiet)
    interrupt.keep(path, "train")
    try:
        learn = _trainer()
        announce_compiling(quiet, training.scenario)
        with begin() as folder:
            before, began = float(folder.meta["seconds"]), time.monotonic()

            def spent() -> float:
                return before + time.monotonic() - began

            with training_progress(quiet, training, done) as show:

                def report(point: Point) -> None:
                    folder.add(point)
                    show(point)

                policy = learn(
                    training,
                    report,
                    tensorboard=folder.tensorboard,
                    checkpoints=folder.checkpoints,
                    keep=lambda kept: folder.keep(kept, spent()),
                )
            folder.keep(policy, spent(), complete=True)
    except MemoryError:
        raise ParameterError("not enough memory for this training; fewer --markets, or --set hyperparameters.rollout=8") from None
    _print(folder, training.market_steps - done, time.monotonic() - began, as_json)


def _trainer() -> Callable[..., Any]:
    """What trains; importing it takes seconds."""
    try:
        from dealermarket.learning.trainer import train as learn
    except ImportError as error:
        raise DealerMarketError(
            f"train: a library cannot be imported ({error}); install the extra again: "
            "pip install --upgrade --force-reinstall 'dealermarket[learn]'"
        ) from None
    return learn


def _print(folder: TrainingFolder, steps: int, seconds: float, as_json: bool) -> None:
    """What came of it, after so many steps in so many seconds just now, and what to do next."""
    from dealermarket.policies.policy_file import TrainedPolicy

    points, digest = folder.points(), TrainedPolicy.load(folder.policy).digest
    ends = max(len(points) // 10, folder.training.rollouts_of_a_run)
    reached = {"first": mean_of(points[:ends])} if len(points) > ends else {}
    reached |= {"last": mean_of(points[-ends:])} if points else {}
    if as_json:
        asked = folder.training.model_dump(mode="json", exclude={"scenario"})
        about = {"folder": str(folder.path), "policy": str(folder.policy), "digest": digest, **folder.meta, "training": asked}
        print(json.dumps(about | {name: asdict(point) for name, point in reached.items()}, indent=2))
        return
    console = open_console()
    for name, point in reached.items():
        console.print(f"at {name}:".ljust(10) + described(point), highlight=False)
    console.print(_meaning(folder.training, min(ends, len(points)), len(points)), style="dim", highlight=False, soft_wrap=True)
    took = f"{rate(steps / max(seconds, 1e-9))} in {seconds:.1f} s; " if steps else ""
    console.print(f"{took}policy {digest} kept in {folder.policy}", highlight=False, soft_wrap=True)
    for what, command in next_commands(folder):
        console.print(f"{what} {command}", highlight=False, soft_wrap=True)


def _meaning(training: Training, averaged: int, rollouts: int) -> str:
    """What the numbers of a training's points are."""
    unit = training.reward.unit
    money = (
        "1 is what all investors' volume of a mean step pays at half the mean reference spread"
        if unit == "spread"
        else f"1 is {unit:g} in price × units of the asset"
    )
    return (
        f"Means over {averaged:,} of {rollouts:,} rollouts, each of {training.hyperparameters.rollout:,} steps of every market. "
        "While it learns, a policy varies its actions at random, to find better ones: evaluate shows it without that. "
        f"Reward of a step: {money}; share of the investors' volume; |z|, the size of the position, in units of the asset."
    )


def next_commands(folder: TrainingFolder) -> list[tuple[str, str]]:
    """What to type next, and why."""
    training = folder.training
    scenario, policy = shlex.quote(str(folder.path / "scenario.toml")), shlex.quote(str(folder.policy))
    maker = f" --maker {shlex.quote(training.makers[0])}" if training.makers[0] != training.scenario.maker_names[0] else ""
    by = " --by total_reward" if training.reward.weights == "components" else ""  # what it was rewarded for
    assigned = " ".join(f"--policy {shlex.quote(name)}={policy}" for name in training.makers)
    return [
        ("compare it: ", f"{program()} evaluate {policy} heuristic --scenario {scenario}{maker}{by}"),
        ("run it:     ", f"{program()} run {scenario} {assigned}"),
        ("its history:", f"tensorboard --logdir {shlex.quote(str(folder.tensorboard))}"),
    ]
