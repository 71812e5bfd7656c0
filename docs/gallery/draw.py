"""Draws the gallery anew: runs each script beside this file, and writes the page that shows them.

`python docs/gallery/draw.py [NAME...]`: the pictures go into images/; without names all are drawn.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
GROUPS = {
    "A run": ("pnl_fan", "pnl_histogram", "pnl_parts", "net_position", "hedging_costs", "day"),
    "Prices and clients": ("price_curves", "tiers_of_a_quote", "market_share", "share_by_client", "client_tiers", "markouts"),
    "A desk's log": ("desk_markouts", "hit_ratio", "calibration_fit"),
    "Questions": ("sweep_map", "hedging_game", "sensitivity"),
    "The papers and the optimum": (
        "internalization",
        "price_sensitivity",
        "regret_quotes",
        "cost_frontier",
        "internalize_or_hedge",
    ),
}
NAMES = tuple(name for group in GROUPS.values() for name in group)
HEAD = """\
# Gallery

Figures, each with the script that draws it. `python docs/gallery/draw.py` draws all of them anew.
"""


def page() -> str:
    """The page, from the scripts alone."""
    parts = [HEAD]
    for title, names in GROUPS.items():
        parts.append(f"## {title}\n")
        parts += [_entry(name) for name in names]
    return "\n".join(parts)


def _entry(name: str) -> str:
    """A script: what its first line says, its picture, the rest of what it says, and what it does."""
    text = (HERE / f"{name}.py").read_text(encoding="utf-8")
    said = ast.get_docstring(ast.parse(text)) or ""
    heading, _, words = said.partition("\n\n")
    heading = heading.rstrip(".")
    code = text[text.index('"""\n', 3) + 4 :].strip("\n")
    return f"### {heading}\n\n{words}\n\n![{heading}](images/{name}.png)\n\n```python\n{code}\n```\n"


def main(names: list[str]) -> None:
    """Draws pictures, and writes the page."""
    images = HERE / "images"
    images.mkdir(exist_ok=True)
    for name in names or NAMES:
        subprocess.run(
            [sys.executable, str(HERE / f"{name}.py")], check=True, cwd=images, env={**os.environ, "MPLBACKEND": "agg"}
        )
        print(f"drew {name}")
    (HERE / "index.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
