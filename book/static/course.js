// What the theme's scripts did for the reader, without measuring a long page while it loads:
// colours, search, side bars, the place in the page's contents, and wide things that scroll.

const $ = (selector) => document.querySelector(selector);
const $$ = (selector) => [...document.querySelectorAll(selector)];
const root = document.documentElement;

// Colours: the button goes from the system's choice to the two themes and back.
// The page's head has applied the kept choice already.
const dark = matchMedia("(prefers-color-scheme: dark)");
const paper = matchMedia("print");

function applyMode(mode, printed = paper.matches) {
  root.dataset.mode = mode;
  root.dataset.theme = printed ? "light" : mode !== "auto" ? mode : dark.matches ? "dark" : "light";
}

// Paper is light. Firefox prints a copy, which hears of no change, made after the first of these.
addEventListener("beforeprint", () => applyMode(root.dataset.mode, true));
addEventListener("afterprint", () => applyMode(root.dataset.mode, false));
paper.addEventListener("change", () => applyMode(root.dataset.mode));

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
const KINDS = { "katex-display": "wide formula", output: "wide output", "pst-scrollable-table-container": "wide table" };
function letScroll(box) {
  const wide = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  const kind = Object.keys(KINDS).find((name) => box.classList.contains(name));
  const attributes = { tabindex: "0", role: "group", "aria-label": KINDS[kind] ?? "code" };
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

// A button that opens an answer is called as the question is. togglebutton.js adds it when the page
// is read.
addEventListener("DOMContentLoaded", () => {
  for (const button of $$(".admonition-title > button.toggle-button")) {
    const title = button.parentElement;
    title.id ||= `title-of-${button.dataset.target}`;
    button.removeAttribute("aria-label");
    button.setAttribute("aria-labelledby", title.id);
  }
});

// The reader's place on a long page. The browser remembers a distance from the top, which is wrong
// as long as what is laid out late counts with a guessed height: an element keeps its name.
const pieces = $("[data-long]") ? $$("article section > :not(section)") : [];

function keepPlace() {
  const index = pieces.findIndex((piece) => piece.getBoundingClientRect().bottom > 0);
  const place = { index, top: pieces[index]?.getBoundingClientRect().top };
  sessionStorage.setItem(`place ${location.pathname}`, JSON.stringify(place));
}

function findPlace() {
  const { index, top } = JSON.parse(sessionStorage.getItem(`place ${location.pathname}`)) ?? {};
  const piece = pieces[index];
  if (!piece) return;
  let frames = 20; // what comes near gets its height, and moves the rest
  const settle = () => {
    scrollBy({ top: piece.getBoundingClientRect().top - top, behavior: "instant" });
    if (frames--) requestAnimationFrame(settle);
  };
  for (const event of ["wheel", "touchstart", "keydown", "pointerdown"]) addEventListener(event, () => (frames = 0), { once: true, passive: true });
  settle();
}

if (pieces.length) {
  const [{ type }] = performance.getEntriesByType("navigation");
  history.scrollRestoration = "manual";
  addEventListener("pagehide", keepPlace);
  if (type === "reload" || type === "back_forward") document.fonts.ready.then(findPlace);
}

// The ledger: choose and order rows.
const tools = $(".ledger-tools");
if (tools) {
  const body = $("table.ledger tbody");
  const rows = [...body.rows];
  const ORDER = ["false", "imprecise", "holds", "setting", "pending"];
  const choose = () => {
    const { words, verdict, text, order } = Object.fromEntries(new FormData(tools));
    const wanted = words.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const said = row.textContent.toLowerCase();
      row.hidden = !(
        wanted.every((word) => said.includes(word)) &&
        (!verdict || row.dataset.verdict === verdict) &&
        (!text || row.dataset.text === text)
      );
    }
    const place = (row) => ORDER.indexOf(row.dataset.verdict);
    body.append(...(order ? [...rows].sort((one, other) => place(one) - place(other)) : rows));
    const shown = rows.filter((row) => !row.hidden).length;
    tools.querySelector("output").textContent = `${shown} of ${rows.length} claims`;
  };
  tools.hidden = false;
  tools.addEventListener("input", choose);
  tools.addEventListener("submit", (event) => event.preventDefault());
  choose();
}
