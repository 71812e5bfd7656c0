"""The exogenous market: the clock, the mid-price and the reference spread."""
