// Pages from a disk can't read other pages, which the summaries of search results need.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What can be scrolled sideways can be reached by keyboard.
function reach() {
  document.querySelectorAll("article pre, article .table-wrapper").forEach((part) => {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  });
}
addEventListener("load", reach);
addEventListener("resize", reach);
