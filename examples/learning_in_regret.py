"""Learning curves in regret: what a maker in training still loses against the optimum, by its prices and by its hedges.

Trains makers with `dealermarket.learning`, keeps the policy at every tenth of the way, and sets each beside the exact optimum
of their market. Run it with `python examples/learning_in_regret.py [steps] [seeds]`; it writes learning-in-regret.svg. Needs the
extra `learn`; some 40 s a seed with the 2,000,000 steps that it takes if you do not say.
"""

import sys
import tempfile
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas

from dealermarket.control import Reward
from dealermarket.learning.trainer import train
from dealermarket.learning.training import Training
from dealermarket.model.makers.policies import TrainedMaker
from dealermarket.plots import COLOURS, STYLE, Axis, Figure, Line, draw
from dealermarket.study import Regrets, Yardstick

PENALTY = 2.0
SHOWN = {"regret": ("regret", "black"), "prices": ("by its prices", COLOURS[0]), "hedging": ("by its hedges", COLOURS[1])}


def kept_policies(seed: int, steps: int, folder: Path) -> dict[int, TrainedMaker]:
    """Policies of one training, by market steps so far."""
    settings = ["reward.weights=pnl", f"reward.inventory_squared={PENALTY}", f"steps={steps}", f"seed={seed}"]
    training, kept = Training.load("learning", settings), {}

    def keep(policy) -> None:
        so_far = int(policy.about["steps"])
        file = folder / f"{seed}-{so_far}.npz"
        policy.save(file)
        kept[so_far] = TrainedMaker(file=str(file))

    train(training, checkpoints=folder / f"checkpoints-{seed}", keep=keep, every=10)
    return kept


def regrets_of(kept: dict[int, TrainedMaker]) -> Regrets:
    """The same, beside the optimum."""
    reward = Reward(weights="pnl", inventory_squared=PENALTY)
    policies = {str(steps): policy for steps, policy in kept.items()}
    scenario = Training.load("learning").scenario
    return Yardstick(scenario, policies, reward=reward, replicas=200).run(threads=2)


def main(steps: int = 2_000_000, seeds: int = 1, picture: str = "learning-in-regret.svg") -> None:
    marks = []
    with tempfile.TemporaryDirectory() as name:
        for seed in range(seeds):
            kept = kept_policies(seed, steps, Path(name))
            regrets = regrets_of(kept)
            found = [regrets.of(str(so_far)) for so_far in kept]
            print(f"seed {seed}, value of the optimum {regrets.optimum.value:.4f} a step")
            for so_far, each in zip(kept, found, strict=True):
                print(f"{so_far:>12,} steps: regret {each.regret}, by prices {each.prices}, by hedges {each.hedging}")
            for part, (label, colour) in SHOWN.items():
                values = [float(getattr(each, part).value) for each in found]
                marks.append(
                    Line([so_far / 1000 for so_far in kept], values, label if seed == 0 else None, colour, marker="filled")
                )
    figure = Figure(
        "learning", "", marks, Axis("thousand market steps"), Axis("lost a step", log=True), "Regret while a maker learns"
    )
    with rc_context(STYLE):
        canvas = Canvas(figsize=(6.4, 4.2), layout="constrained")
        draw(figure, canvas.subplots())
        canvas.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
