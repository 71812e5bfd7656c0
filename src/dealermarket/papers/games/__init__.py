"""The experiments on games between makers: each chooses what is best for itself, and what comes of that."""
