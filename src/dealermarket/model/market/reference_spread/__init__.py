"""Reference-spread processes (section 3.1)."""

from dealermarket.model.market.reference_spread.clipped_normal import ClippedNormal

__all__ = ["ClippedNormal"]
