"""The command ``bimt-train``, which is ``python -m bimt_train`` too."""

import sys

from .signals import run_command


def main() -> int:
    """Run the command on the words of the command line, and return its status."""
    return run_command("bimt_train._cli")


if __name__ == "__main__":
    sys.exit(main())
