// A formula that is wider than the page scrolls by itself: let the keyboard reach it.
// (The theme does so for code and outputs.)

function letFormulasScroll() {
  for (const formula of document.querySelectorAll("div.math .katex-display")) {
    if (formula.scrollWidth > formula.clientWidth) {
      formula.tabIndex = 0;
      formula.setAttribute("role", "group");
      formula.setAttribute("aria-label", "wide formula");
    } else {
      formula.removeAttribute("tabindex");
      formula.removeAttribute("role");
      formula.removeAttribute("aria-label");
    }
  }
}

letFormulasScroll();
document.fonts.ready.then(letFormulasScroll);
addEventListener("resize", letFormulasScroll);
