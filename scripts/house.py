"""Draws the house: the folders of the package in rows, each above what it imports from, with an arrow for each import that does
not follow from others. The picture is text, the same for the same imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH, HEIGHT = 128, 34  # of a box, in pixels
ACROSS, DOWN = 160, 66  # from the middle of a box to that of the next
MARGIN = 12
_OWN, _PUBLIC, _LINE, _TEXT = "#dfe8f3", "#fbe3bd", "#7d8896", "#17202b"  # boxes and arrows that show on white and on black

Arrow = tuple[str, str]


@dataclass(frozen=True)
class Point:
    """Where an arrow passes a row in which it has no end."""

    arrow: Arrow
    level: int  # of the row, from the lowest


def rows_of(names: Sequence[str], arrows: Iterable[Arrow]) -> list[list[str | Point]]:
    """The rows from the top. Each name stands as low as it can, above all that its arrows lead to; names of a row stand below
    those that lead to them. Arrows that are longer than a row have a point in each row that they pass."""
    arrows = list(arrows)
    height: dict[str, int] = {}
    for name in reversed(names):  # what an arrow leads to comes later in `names`
        height[name] = max((height[to] + 1 for by, to in arrows if by == name), default=0)
    top = max(height.values())
    rows: list[list[str | Point]] = [[name for name in names if height[name] == level] for level in range(top, -1, -1)]
    for arrow in arrows:
        for level in range(height[arrow[0]] - 1, height[arrow[1]], -1):
            rows[top - level].append(Point(arrow, level))
    for above, row in pairwise(rows):
        place = {each.arrow if isinstance(each, Point) else each: number for number, each in enumerate(above)}

        def middle(each: str | Point, place: Mapping[str | Arrow, int] = place) -> float:
            """The mean place of what leads here; what nothing leads to stands last."""
            leading = [each.arrow] if isinstance(each, Point) else [arrow for arrow in arrows if arrow[1] == each]
            places = [place[arrow] if arrow in place else place[arrow[0]] for arrow in leading]
            return sum(places) / len(places) if places else float("inf")

        row.sort(key=lambda each: (middle(each), each.arrow if isinstance(each, Point) else (each, "")))
    return rows


def picture(names: Sequence[str], arrows: Sequence[Arrow], public: Iterable[str], alone: str) -> str:
    """The picture as SVG. Folders with a `public` face have a colour of their own; `alone` needs nothing of the package."""
    rows, public = rows_of(names, arrows), set(public)
    widest = max(map(len, rows))
    width, height = widest * ACROSS - (ACROSS - WIDTH) + 2 * MARGIN, (len(rows) - 1) * DOWN + HEIGHT + 2 * MARGIN
    at = {
        each: (width / 2 + (number - (len(row) - 1) / 2) * ACROSS, MARGIN + HEIGHT / 2 + level * DOWN)
        for level, row in enumerate(rows)
        for number, each in enumerate(row)
    }
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="14">',
        "<title>The folders of the package, each above those that it imports from</title>",
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{_LINE}"/></marker></defs>',
    ]
    for arrow in arrows:
        (x, y), (end, bottom) = at[arrow[0]], at[arrow[1]]
        passed = [place for each, place in at.items() if isinstance(each, Point) and each.arrow == arrow]
        path = [(x, y + HEIGHT / 2), *passed, (end, bottom - HEIGHT / 2)]
        points = "L".join(f"{x:g} {y:g}" for x, y in path)
        lines.append(f'<path d="M{points}" fill="none" stroke="{_LINE}" stroke-width="1.5" marker-end="url(#tip)"/>')
    for name in names:
        lines += _box(name, *at[name], _PUBLIC if name in public else _OWN)
    lines += _box(alone, width - MARGIN - WIDTH / 2, at[names[-1]][1], _PUBLIC if alone in public else _OWN)
    lines += _key(width - MARGIN - WIDTH, MARGIN)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _box(name: str, x: float, y: float, colour: str) -> list[str]:
    return [
        f'<rect x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{colour}" '
        f'stroke="{_LINE}"/>',
        f'<text x="{x:g}" y="{y + 5:g}" text-anchor="middle" fill="{_TEXT}">{name}</text>',
    ]


def _key(x: float, y: float) -> list[str]:
    """What the colours say."""
    lines = []
    for number, (colour, said) in enumerate(((_PUBLIC, "has a public face"), (_OWN, "used inside only"))):
        top = y + 24 * number
        lines += [
            f'<rect x="{x:g}" y="{top:g}" width="{WIDTH}" height="20" rx="4" fill="{colour}" stroke="{_LINE}"/>',
            f'<text x="{x + WIDTH / 2:g}" y="{top + 14:g}" text-anchor="middle" font-size="12" fill="{_TEXT}">{said}</text>',
        ]
    return lines
