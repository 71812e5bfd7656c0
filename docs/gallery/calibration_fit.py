"""Does the calibrated market win as often as the desk did?

Shares of the requests by quote, in the log and by the fitted law.
"""

from dealermarket import Scenario
from dealermarket.data import calibrate, export
from dealermarket.data.beside import Beside
from dealermarket.plots.drawing import drawn
from dealermarket.plots.fitted import fill_curve

files = export(Scenario.load("calibration", ["steps=480"]), "ours", replicas=20)
found = calibrate(files.rfqs, files.mids, v_max=500.0)
axes = drawn(fill_curve(Beside(found).outcomes()), None)
axes.set_title("Won, traded away and not traded, by quote")
axes.figure.savefig("calibration_fit.png", dpi=110)
