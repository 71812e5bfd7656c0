"""Market makers: a tiering, a pricing and a hedging policy under one name."""
