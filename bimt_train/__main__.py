"""``python -m bimt_train`` is the command ``bimt-train``."""

import sys

from ._cli import main

if __name__ == "__main__":
    sys.exit(main())
