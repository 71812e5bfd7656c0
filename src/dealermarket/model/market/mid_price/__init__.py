"""Mid-price processes (section 3.1)."""

from dealermarket.model.market.mid_price.gbm import GeometricBrownianMotion

__all__ = ["GeometricBrownianMotion"]
