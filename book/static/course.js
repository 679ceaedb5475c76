// What the theme's scripts did for the reader, without measuring a long page while it loads:
// colours, search, side bars, the place in the page's contents, and wide things that scroll.

const $ = (selector) => document.querySelector(selector);
const $$ = (selector) => [...document.querySelectorAll(selector)];
const root = document.documentElement;

// Colours: the button goes from the system's choice to the two themes and back.
// The page's head has applied the kept choice already.
const dark = matchMedia("(prefers-color-scheme: dark)");

function applyMode(mode) {
  root.dataset.mode = mode;
  root.dataset.theme = mode !== "auto" ? mode : dark.matches ? "dark" : "light";
}

for (const button of $$(".theme-switch-button")) {
  button.addEventListener("click", () => {
    const modes = dark.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
    const mode = modes[(modes.indexOf(root.dataset.mode) + 1) % modes.length];
    localStorage.setItem("mode", mode);
    applyMode(mode);
  });
}
dark.addEventListener("change", () => applyMode(root.dataset.mode));

// Dialogs close with Escape, which Sphinx would take for itself, and with a click beside them.
for (const dialog of $$("dialog")) {
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    dialog.close();
  });
  dialog.addEventListener("click", ({ target, clientX: x, clientY: y }) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    if (target === dialog && (x < left || x > right || y < top || y > bottom)) dialog.close();
  });
}

// Search: a button or Ctrl+K opens the field; the search page has one of its own.
function openSearch() {
  const field = $("form.bd-search:not(dialog *) input");
  if (field) field.focus();
  else $("#pst-search-dialog").showModal();
}

for (const button of $$(".search-button__button")) button.addEventListener("click", openSearch);
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openSearch();
  }
});

// Side bars: on a narrow screen each moves into a dialog, with its classes, and back.
function move(from, to) {
  to.append(...from.childNodes);
  to.className = from.className;
  from.className = "";
}

for (const [toggle, sidebar, dialog] of [
  [".primary-toggle", "#pst-primary-sidebar", "#pst-primary-sidebar-modal"],
  [".secondary-toggle", "#pst-secondary-sidebar", "#pst-secondary-sidebar-modal"],
].map((names) => names.map($))) {
  if (!toggle || !sidebar) continue;
  toggle.addEventListener("click", () => {
    if (toggle.matches(".primary-toggle") && matchMedia("(min-width: 992px)").matches) {
      sidebar.classList.toggle("pst-sidebar-hidden");
    } else {
      move(sidebar, dialog);
      dialog.showModal();
    }
  });
  dialog.addEventListener("click", (event) => event.target.closest("a") && dialog.close());
  dialog.addEventListener("close", () => move(dialog, sidebar));
}

// The page's contents show which section is read, and make room for notes in the margin.
const entries = new Map();
for (const link of $$("#pst-page-toc-nav a")) {
  const heading = document.getElementById(link.hash.slice(1))?.querySelector("h1, h2, h3, h4");
  if (heading) entries.set(heading, link);
}

function mark(link) {
  for (const other of entries.values()) {
    other.classList.toggle("active", other === link);
    if (other === link) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
}

let chosen = 0; // when a link was followed: the scrolling that this brings chooses no other
const reading = new IntersectionObserver(
  (changes) => {
    const heading = changes.findLast((change) => change.isIntersecting)?.target;
    if (heading && performance.now() - chosen > 1000) mark(entries.get(heading));
  },
  { rootMargin: "0px 0px -70% 0px" },
);
for (const [heading, link] of entries) {
  reading.observe(heading);
  link.addEventListener("click", () => {
    chosen = performance.now();
    mark(link);
  });
}

const notes = new Set();
const beside = new IntersectionObserver(
  (changes) => {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) notes.add(target);
      else notes.delete(target);
    }
    $("#pst-secondary-sidebar")?.classList.toggle("hide", notes.size > 0);
  },
  { rootMargin: "0px 0px -33% 0px" },
);
for (const note of $$(".bd-article :is(.margin, .marginnote, .sidebar, .tag_margin)")) beside.observe(note);

// What is wider than the page scrolls by itself: let the keyboard reach it.
function letScroll(box) {
  const wide = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  const attributes = box.matches(".katex-display")
    ? { tabindex: "0", role: "group", "aria-label": "wide formula" }
    : { tabindex: "0" };
  for (const [name, value] of Object.entries(attributes)) {
    if (wide) box.setAttribute(name, value);
    else box.removeAttribute(name);
  }
}

// The browser tells the size of what it lays out, and again when it changes; it lays out what comes
// near the screen, so nothing is measured before it is shown.
const sizes = new ResizeObserver((changes) => {
  for (const { target } of changes) letScroll(target.matches(".katex") ? target.parentElement : target);
});

const mayBeWide = "div.math .katex-display, .bd-article pre, .cell_output > .output, .pst-scrollable-table-container";
for (const box of $$(mayBeWide)) {
  sizes.observe(box);
  const formula = box.querySelector(":scope > .katex");
  if (formula) sizes.observe(formula);
}
