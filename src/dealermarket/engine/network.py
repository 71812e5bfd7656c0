"""The product of a small neural network's layer, row by row: the same bits for a row whatever stands beside it, which the
libraries behind NumPy's products do not promise."""

from __future__ import annotations

from dealermarket.compiled import entry


@entry
def add_product(source, matrix, target):
    """Adds source (rows, inputs) times matrix (inputs, outputs) to target (rows, outputs)."""
    for b in range(len(source)):
        row = target[b]
        for k in range(len(matrix)):
            value, weights = source[b, k], matrix[k]
            for n in range(len(weights)):
                row[n] += value * weights[n]
