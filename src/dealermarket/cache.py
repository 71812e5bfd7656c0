"""Where compiled code and hedging tables are kept between runs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs


def cache_folder() -> Path | None:
    """A folder that can be written: `DEALERMARKET_CACHE_DIR`, or the user's cache folder, or a temporary one; else None."""
    for folder in _candidates():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


def _candidates() -> list[Path]:
    chosen = os.environ.get("DEALERMARKET_CACHE_DIR")
    if chosen:
        return [Path(chosen)]
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return [
        platformdirs.user_cache_path("dealermarket", appauthor=False),
        Path(tempfile.gettempdir()) / f"dealermarket-{user}",
    ]
