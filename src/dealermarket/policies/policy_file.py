"""Trained policies as files: a network's weights, what its numbers mean, and where it comes from."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
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
    """A neural network: layers with tanh between them. `Network.of` makes one of any arrays.

    Parameters
    ----------
    layers : tuple of pairs of arrays of float32
        For each layer the matrix (inputs, outputs) and the biases (outputs,).

    """

    layers: tuple[tuple[Array, Array], ...]

    @classmethod
    def of(cls, layers: Sequence[tuple[Any, Any]], outputs: int) -> Network:
        """From anything that becomes arrays; the weights are kept in single precision. Raises ParameterError."""
        kept = tuple((np.array(matrix, np.float32), np.array(biases, np.float32)) for matrix, biases in layers)
        width = len(FEATURES)
        for matrix, biases in kept:
            if matrix.ndim != 2 or matrix.shape[0] != width or biases.shape != matrix.shape[1:]:
                raise ParameterError(
                    f"layers: shapes ({width}, outputs) and (outputs,) are needed, got {matrix.shape} and {biases.shape}"
                )
            if not (np.isfinite(matrix).all() and np.isfinite(biases).all()):
                raise ParameterError("layers: weights must be finite numbers")
            width = len(biases)
            matrix.flags.writeable = biases.flags.writeable = False  # files that are read are shared
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
    """A network that turns features into controls, as `dealermarket train` writes it to a file.

    Parameters
    ----------
    network : Network
        From features (`FEATURES`) to a number for each control.
    controls : Controls
        What these numbers in [-1, 1] mean.
    about : mapping of str
        How it was trained, for people to read.

    """

    network: Network
    controls: Controls
    about: Mapping[str, Any]

    def values(self, features: Array) -> Array:
        """What is decided, (B, controls), for features (B, FEATURES)."""
        return self.controls.values(self.numbers(features))

    def numbers(self, features: Array) -> Array:
        """The same as actions of the environments, in [-1, 1]."""
        return np.clip(self.network.outputs(features), -1.0, 1.0).astype(np.float64)

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
        except (OSError, ValueError) as error:
            raise PolicyError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
        return _parsed(str(path), content)


@lru_cache(maxsize=64)
def _parsed(path: str, content: bytes) -> TrainedPolicy:
    try:
        meta, arrays = _unpacked(content)
        made, version = meta["format"], meta["version"]
    except Exception:  # libraries raise whatever they stumble on
        raise PolicyError(f"{path}: is not a policy file, or is damaged; files are made by dealermarket train") from None
    if made != FORMAT:
        raise PolicyError(f"{path}: was made by version {version} in format {made}, this is format {FORMAT}; {_TRAIN_AGAIN}")
    if meta.get("features") != [feature.name for feature in FEATURES]:
        raise PolicyError(f"{path}: was trained on other features, by version {version}; {_TRAIN_AGAIN}")
    try:
        controls = Controls(**{name: bounds and tuple(bounds) for name, bounds in meta["controls"].items()})
        layers = [(arrays.pop(f"layer_{n}_w"), arrays.pop(f"layer_{n}_b")) for n in range(len(arrays) // 2)]
        if arrays or any(part.dtype != np.float32 for layer in layers for part in layer):
            raise ParameterError("layers: must be pairs of arrays in single precision")
        return TrainedPolicy(Network.of(layers, len(controls.names)), controls, dict(meta["about"]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PolicyError(f"{path}: is damaged: {error}") from None


def _unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """What a file says of itself, and its arrays."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        if file.testzip() is not None:  # asked before NumPy trusts the sizes and types that it finds in there
            raise zipfile.BadZipFile
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return dict(json.loads(str(arrays.pop("meta")))), arrays
