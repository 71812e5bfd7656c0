"""The compiled engine: rules, state, one step of the market and the hedging tables. Imports Numba."""
