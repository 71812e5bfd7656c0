"""The command `dealermarket`: `main` puts it together, and each of its commands has a file."""
