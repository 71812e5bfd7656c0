"""What a market is: frozen, validated values. Nothing here acts, draws or compiles."""
