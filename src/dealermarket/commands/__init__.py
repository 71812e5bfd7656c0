"""The command `dealermarket`: a file for each of its commands."""
