"""A browser for tests of pages, and what is asked of every page that it shows."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(not (BROWSER and DRIVER), reason="no chromium with its chromedriver is installed")
FLAGS = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")
AXE = """
const [rules, done] = arguments;
const wanted = {runOnly: rules, resultTypes: ["violations"]};
const told = one => [one.id, ...one.nodes.slice(0, 3).map(node => node.html.slice(0, 150))];
axe.run(wanted).then(found => done(found.violations.map(told)));
"""


@contextmanager
def opened(folder: Path) -> Iterator[Any]:
    """A browser that keeps what it keeps in a folder, and remembers what its pages said on the console."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = BROWSER
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    for flag in (*FLAGS, *root, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    driver = Chrome(options=options, service=Service(executable_path=DRIVER))
    driver.set_script_timeout(120)  # axe on a long page and a busy machine
    try:
        yield driver
    finally:
        driver.quit()


def show(browser: Any, address: str, *, width: int = 1280, media: str = "screen", scheme: str = "light") -> None:
    """Open a page anew, as wide as asked."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    set_width(browser, width)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    browser.get_log("browser")  # empties it
    browser.get(address)


def set_width(browser: Any, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def violations(browser: Any) -> list[list[str]]:
    """What axe finds on the page as it is shown: a rule, and elements that break it."""
    browser.execute_script(pytest.importorskip("axe_core_python.base").AXE_SCRIPT)
    return browser.execute_async_script(AXE, RULES)


def console(browser: Any) -> list[str]:
    """What the page said on the console since it was opened."""
    return [f"{entry['level']}: {entry['message']}" for entry in browser.get_log("browser")]
