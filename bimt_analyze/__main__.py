"""``python -m bimt_analyze`` is the command ``bimt-analyze``."""

import sys

from ._cli import main

if __name__ == "__main__":
    sys.exit(main())
