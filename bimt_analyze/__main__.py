"""The command ``bimt-analyze``, which is ``python -m bimt_analyze`` too."""

import sys

from bimt_train.signals import run_command


def main() -> int:
    """Run the command on the words of the command line, and return its status."""
    return run_command("bimt_analyze._cli")


if __name__ == "__main__":
    sys.exit(main())
