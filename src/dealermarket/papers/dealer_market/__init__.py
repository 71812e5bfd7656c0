"""The experiments of Ganesh et al. (2019), and those it describes and does not run."""
