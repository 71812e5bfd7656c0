"""`python -m dealermarket`."""

import sys

from dealermarket.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
