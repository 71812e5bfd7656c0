"""Everything exogenous: random streams, and the tapes that are drawn from them or recorded."""
