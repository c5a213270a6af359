"""Every page of the site in a browser, opened from its folder as a reader without a server does."""

import os

from browsing import console, needs_browser, set_width, show, violations

pytestmark = needs_browser

# axe takes seconds a page. It reads pages that differ in what they are made of; of those that are made alike two are
# opened at all. `make site` opens all pages, and has axe read all.
WHOLE = "BIMT_WHOLE_SITE" in os.environ
ALIKE = ("reference/", "benchmarks/")
READ = (
    "index.html", "mathematics.html", "gallery.html", "tables.html", "tutorials/law-from-a-table.html",
    "reference/bimt_train.losses.html", "reference/bimt_analyze.graph.html",
)  # fmt: skip

BLIND = "return [...document.images].filter(one => !one.alt || !one.naturalWidth).map(one => one.outerHTML);"
# Formulas and code take up room, nothing of LaTeX is left, and code has colours.
UNDRAWN = r"""
const flat = [...document.querySelectorAll("article :is(math, pre > code, img)")]
  .filter(one => !one.getBoundingClientRect().height || !one.getBoundingClientRect().width);
const plain = [...document.querySelectorAll("article .language-python code")]
  .filter(one => !one.querySelector("span[class]"));
const latex = [...document.querySelectorAll("article .arithmatex")];
return [...flat, ...plain, ...latex].map(one => one.outerHTML.slice(0, 150));
"""
WIDE = "return document.documentElement.scrollWidth > 375 ? ['wider than 375 pixels'] : [];"


def faults(browser, page, *, whole):
    """What is wrong with a page, by the question that found it."""
    show(browser, page.as_uri())
    found = {
        "console": console(browser),
        "pictures": browser.execute_script(BLIND),
        "not drawn": browser.execute_script(UNDRAWN),
        "axe": violations(browser) if whole else [],
    }
    set_width(browser, 375)
    found["width"] = browser.execute_script(WIDE)
    return {question: answer for question, answer in found.items() if answer}


def test_every_page_is_sound(browser, site):
    found, opened = {}, 0
    for page in sorted(site.rglob("*.html")):
        name = page.relative_to(site).as_posix()
        if name == "404.html":  # a server's, which shows it at any address
            continue
        if WHOLE or not name.startswith(ALIKE) or name in READ:
            opened += 1
            if wrong := faults(browser, page, whole=WHOLE or name in READ):
                found[name] = wrong
    assert found == {} and opened > 25


def test_faults_are_found(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<html><title>t</title><article><img src="no.png"><pre><code class="language-python"></code></pre>'
        '<p style="width: 900px; color: #ccc">grey</p></article></html>'
    )
    assert {*faults(browser, page, whole=True)} == {"console", "pictures", "not drawn", "axe", "width"}


def test_the_search_finds_a_page_without_a_server(browser, site):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait

    show(browser, (site / "reference" / "bimt_train.html").as_uri())
    browser.find_element(By.NAME, "query").send_keys("glossary")
    WebDriverWait(browser, 20).until(lambda _: browser.find_elements(By.CSS_SELECTOR, ".md-search-result__item a"))
    first = browser.find_element(By.CSS_SELECTOR, ".md-search-result__item a").get_attribute("href")
    assert first.startswith((site / "glossary.html").as_uri())
    assert console(browser) == []
