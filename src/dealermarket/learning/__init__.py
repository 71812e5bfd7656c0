"""Training makers: the bridge to Stable-Baselines3, and the command `train`. Needs the extra `learn`."""
