"""Time to import each package in a fresh interpreter, and whether that brings torch."""

import subprocess
import sys
import time

from _measure import no_options, table, write_section


def main() -> None:
    no_options(__doc__)
    rows = []
    for package in ("bimt_train", "bimt_analyze"):
        code = f"import sys, {package}; print('torch' in sys.modules)"
        spent = []
        for _ in range(5):
            began = time.perf_counter()
            brought = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
            spent.append(time.perf_counter() - began)
        rows.append([package, f"{sorted(spent)[2]:.2f} s", "0.3 s", brought])
    write_section("Import", table(["package", "median of 5, interpreter included", "target", "imports torch"], rows))


if __name__ == "__main__":
    main()
