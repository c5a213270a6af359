"""``python -m bimt_analyze.certificates.checker FILE``: what a certificate proves, or why it does not."""

import sys
from pathlib import Path

from ._check import NoCertificate, check
from ._exact_fields import Refused

if __name__ == "__main__":
    try:
        sys.stdout.write(check(Path(sys.argv[1]).read_bytes()).statement + "\n")
    except (NoCertificate, OSError, IndexError) as error:
        sys.exit(sys.stderr.write(f"error: {error}\n") and 2)
    except Refused as error:
        sys.exit(sys.stderr.write(f"not proved: {error}\n") and 1)
