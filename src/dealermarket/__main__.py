"""`python -m dealermarket`."""

import sys

from dealermarket.cli import main

if __name__ == "__main__":
    sys.exit(main())
