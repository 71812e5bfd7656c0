"""A desk's own data: what it would have written down of a market, and the market that its log describes."""
