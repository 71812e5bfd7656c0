"""Trained policies as files: a network's weights, what its numbers mean, and where it comes from."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.disk import errors_of, replacing
from dealermarket.errors import ParameterError, PolicyError
from dealermarket.policies.controls import Controls
from dealermarket.policies.features import FEATURES
from dealermarket.version import __version__

Array = NDArray[Any]

FORMAT = 1
"""Goes up whenever the features, the controls or the network of old files would mean something else."""

_TRAIN_AGAIN = "train the policy again with this version"


@dataclass(frozen=True, eq=False)
class Network:
    """Layers with tanh between them: for each the matrix (inputs, outputs) and the biases (outputs,)."""

    layers: tuple[tuple[Array, Array], ...]

    @classmethod
    def of(cls, layers: Sequence[tuple[Any, Any]], outputs: int) -> Network:
        """From anything that becomes arrays; the weights are kept in single precision. Raises ParameterError."""
        kept = tuple((np.array(matrix, np.float32), np.array(biases, np.float32)) for matrix, biases in layers)
        width = len(FEATURES)
        for matrix, biases in kept:
            if matrix.shape != (width, len(biases)) or not (np.isfinite(matrix).all() and np.isfinite(biases).all()):
                raise ParameterError(f"layers: finite numbers of shape ({width}, outputs) are needed, got {matrix.shape}")
            width = len(biases)
        if not kept or width != outputs:
            raise ParameterError(f"layers: the last must have {outputs} outputs, one a control")
        return cls(kept)

    def outputs(self, features: Array) -> Array:
        """For features (B, FEATURES), (B, outputs); a row's result depends on that row alone."""
        from dealermarket.engine.network import add_product

        values = np.ascontiguousarray(features, np.float32)
        for n, (matrix, biases) in enumerate(self.layers):
            sums = np.tile(biases, (len(values), 1))
            add_product(values, matrix, sums)
            values = np.tanh(sums) if n + 1 < len(self.layers) else sums
        return values


@dataclass(frozen=True, eq=False)
class TrainedPolicy:
    """A network that turns features into controls, and `about`: how it was trained, for people to read."""

    network: Network
    controls: Controls
    about: Mapping[str, Any]

    def values(self, features: Array) -> Array:
        """What is decided, (B, controls), for features (B, FEATURES)."""
        return self.controls.values(self.numbers(features))

    def numbers(self, features: Array) -> Array:
        """The same as actions of the environments, in [-1, 1]."""
        return np.clip(self.network.outputs(features), -1.0, 1.0)

    @property
    def digest(self) -> str:
        """A fingerprint of what is decided: weights and controls, not where they come from."""
        parts = [self.controls.model_dump_json().encode(), *(part.tobytes() for layer in self.network.layers for part in layer)]
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]

    def save(self, path: str | Path) -> None:
        """Writes the file; an old one is replaced in one go. Raises RunFolderError where that is not possible."""
        meta = {
            "format": FORMAT,
            "version": __version__,
            "features": [feature.name for feature in FEATURES],
            "controls": self.controls.model_dump(mode="json"),
            "about": dict(self.about),
        }
        arrays: dict[str, Any] = {}
        for n, (matrix, biases) in enumerate(self.network.layers):
            arrays |= {f"layer_{n}_w": matrix, f"layer_{n}_b": biases}
        with errors_of(Path(path).parent), replacing(Path(path)) as temporary, temporary.open("wb") as file:
            np.savez(file, meta=np.array(json.dumps(meta)), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> TrainedPolicy:
        """Reads a file. Raises PolicyError where there is none, or it is damaged or of another version."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise PolicyError(f"{path}: cannot be read: {error.strerror}") from None
        return _parsed(str(path), content)


@lru_cache(maxsize=64)
def _parsed(path: str, content: bytes) -> TrainedPolicy:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            meta = json.loads(str(file["meta"]))
            arrays = {name: file[name] for name in file.files if name != "meta"}
        made, version = meta["format"], meta["version"]
    except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile, zlib.error):
        raise PolicyError(f"{path}: is not a policy file, or is damaged; files are made by dealermarket train") from None
    if made != FORMAT:
        raise PolicyError(f"{path}: was made by version {version} in format {made}, this is format {FORMAT}; {_TRAIN_AGAIN}")
    names = [feature.name for feature in FEATURES]
    if meta.get("features") != names:
        raise PolicyError(f"{path}: was trained on other features ({len(meta.get('features', []))}); {_TRAIN_AGAIN}")
    try:
        controls = Controls(**{name: bounds and tuple(bounds) for name, bounds in meta["controls"].items()})
        layers = [(arrays[f"layer_{n}_w"], arrays[f"layer_{n}_b"]) for n in range(len(arrays) // 2)]
        network = Network.of(layers, len(controls.names))
    except (ParameterError, KeyError, TypeError, ValueError) as error:
        raise PolicyError(f"{path}: is damaged: {error}") from None
    return TrainedPolicy(network, controls, meta.get("about", {}))
