"""The experiments of the follow-up paper on makers that learn."""
