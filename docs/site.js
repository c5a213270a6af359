// What the theme leaves out: all that scrolls is reached by keyboard, the search has a name, and no button for copying
// is a landmark.
function complete() {
  for (const box of document.querySelectorAll(".scroll, .md-typeset__scrollwrap, .md-typeset pre > code"))
    if (box.scrollWidth > box.clientWidth && box.tabIndex < 0) box.tabIndex = 0;
  for (const buttons of document.querySelectorAll(".md-code__nav:not([role])")) buttons.setAttribute("role", "none");
}
new MutationObserver(complete).observe(document.body, {childList: true, subtree: true, attributeFilter: ["tabindex"]});
addEventListener("resize", complete);
document.querySelector(".md-search").ariaLabel = "Search";
complete();
