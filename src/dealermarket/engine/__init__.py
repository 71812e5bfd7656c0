"""The compiled engine: state, one step of the market, the tape's arithmetic and the hedging tables. Imports Numba."""
