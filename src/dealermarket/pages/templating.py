"""Templates of pages: what all of them share, such as escaping, the style sheet and the macros of tables and pictures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dealermarket.pages.cells import cells, keys, width

if TYPE_CHECKING:
    from jinja2 import Environment


def together(text: str) -> str:
    """Text that is not broken into lines before or after these signs."""
    return re.sub(r" ([=±≤]) ", "\u00a0\\1\u00a0", text)


def templates(package: str = "dealermarket.pages") -> Environment:
    """The templates of a package, and those that all pages share: whatever they are given is escaped."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in dict.fromkeys((package, "dealermarket.pages"))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["together"] = together
    environment.globals |= {"cells": cells, "width": width, "keys": keys}
    return environment
