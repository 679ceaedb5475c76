// The search page: finds sections, claims and functions, and shows the words around the hit.
// searchindex.js gives `sections`, and minisearch.js the engine; no other page loads them.

// What the field calls by several names becomes one word, in the texts and in the question.
const SAME = {
  he: "kaiming msra",
  glorot: "xavier",
  dead: "dying die dies died",
  zero: "zeros zeroes 0s",
  symmetry: "symmetric symmetrical symmetries tied",
  initialization: "init initialisation initialise initialize initializing initialising",
  initializer: "initialiser",
  explode: "exploding explodes exploded explosion blowup",
  vanish: "vanishing vanishes vanished",
  saturate: "saturated saturates saturating saturation",
  silu: "swish",
  gaussian: "normal bell",
  rbm: "boltzmann",
  default: "defaults defaulted",
  derivative: "slope derivatives slopes",
  std: "sd stddev",
  "χ1": "chi_1 chi1",
  "√2": "sqrt2",
};
const canonical = new Map(Object.entries(SAME).flatMap(([word, others]) => others.split(" ").map((other) => [other, word])));
const SMALL = new Set("a an and are as at be by can do does for from how i if in is it its my not of on or so that the this to use versus vs was what when where which why with you s".split(" "));
const TOKEN = /[\p{L}\p{N}√∞_./]+/gu;

function canonicalOf(word) {
  const plain = canonical.get(word) ?? word;
  if (plain !== word || word.length < 4 || !/[^s]s$/.test(word)) return plain;
  const single = word.slice(0, -1); // of a plural
  return canonical.get(single) ?? single;
}

// The words of a text with their places; a long name counts with its parts: he_normal, he, normal.
function tokensOf(text) {
  const found = [];
  for (const { 0: raw, index } of text.matchAll(TOKEN)) {
    const word = raw.normalize("NFKC").toLowerCase().replace(/^[._/]+|[._/]+$/g, "");
    if (!word) continue;
    const parts = /[\p{L}]{2}[._/]|[._/]\p{L}{2}/u.test(word) ? word.split(/[._/]+/) : [];
    for (const part of new Set([word, ...parts])) {
      if (part && !SMALL.has(part)) found.push({ term: canonicalOf(part), start: index, end: index + raw.length });
    }
  }
  return found;
}

const WEIGHTS = { row: 0.5, function: 0.2, claim: 0.7, term: 0.8 };
function weight({ kind, address }) {
  const page = /homework\/|instructors|bibliography|sources|index\.html/.test(address) ? 0.4 : 1;
  return page * (WEIGHTS[kind] ?? 1);
}

function makeEngine() {
  const engine = new MiniSearch({
    fields: ["title", "keys", "text"],
    tokenize: (text) => tokensOf(text).map(({ term }) => term),
    processTerm: (term) => term,
    searchOptions: {
      boost: { title: 3, keys: 8 },
      boostDocument: (id) => weight(sections[id]),
      prefix: (term) => /^\p{L}{3}/u.test(term),
      weights: { prefix: 0.2, fuzzy: 0.1 },
      combineWith: "AND",
    },
  });
  engine.addAll(sections.map((section, id) => ({ id, ...section })));
  return engine;
}

// All words as they are; if no place has them, then similar ones, then some of them.
function find(engine, question) {
  for (const options of [{}, { fuzzy: 0.2 }, { fuzzy: 0.2, combineWith: "OR" }]) {
    const results = engine.search(question, options);
    if (results.length) return results;
  }
  return [];
}

// The part of the text with most of the words, each one marked.
const AROUND = 220;
function excerptOf(text, terms) {
  const hits = tokensOf(text).filter(({ term }) => terms.has(term));
  const excerpt = document.createElement("p");
  if (!hits.length) {
    excerpt.textContent = text.slice(0, AROUND) + (text.length > AROUND ? " …" : "");
    return excerpt;
  }
  const near = (first) => new Set(hits.filter(({ start, end }) => start >= first.start && end <= first.start + AROUND * 0.75).map(({ term }) => term)).size;
  const best = hits.reduce((one, other) => (near(other) > near(one) ? other : one));
  let from = Math.max(0, best.start - AROUND / 4);
  if (from > 0) from = text.indexOf(" ", from) + 1;
  if (from > best.start) from = best.start;
  const space = text.lastIndexOf(" ", from + AROUND);
  const to = from + AROUND >= text.length ? text.length : Math.max(space, best.end);
  let place = from;
  if (from > 0) excerpt.append("… ");
  for (const { start, end } of hits) {
    if (start < place || end > to) continue;
    const mark = document.createElement("mark");
    mark.textContent = text.slice(start, end);
    excerpt.append(text.slice(place, start), mark);
    place = end;
  }
  excerpt.append(text.slice(place, to), to < text.length ? " …" : "");
  return excerpt;
}

function show(engine, question) {
  const results = find(engine, question);
  const items = results.slice(0, 50).map(({ id, terms }) => {
    const { title, page, address, text } = sections[id];
    const link = document.createElement("a");
    link.href = address;
    link.textContent = title;
    const item = document.createElement("li");
    item.append(link);
    if (page !== title) {
      const where = document.createElement("span");
      where.className = "search-page";
      where.textContent = page;
      item.append(" ", where);
    }
    item.append(excerptOf(text, new Set(terms)));
    return item;
  });
  document.querySelector("#search-results").replaceChildren(...items);
  const places = results.length === 1 ? "1 place" : `${results.length} places`;
  document.querySelector("#search-summary").textContent = !question.trim()
    ? ""
    : results.length
      ? `${places} found for “${question}”${results.length > 50 ? "; the first 50:" : ":"}`
      : `Nothing was found for “${question}”. Try one word, or another name for it.`;
}

{
  const form = document.querySelector("article form.bd-search");
  const field = form.querySelector("input");
  const engine = makeEngine();
  field.value = new URLSearchParams(location.search).get("q") ?? "";
  show(engine, field.value);
  if (!field.value) field.focus();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    history.replaceState(null, "", `?${new URLSearchParams({ q: field.value })}`);
    show(engine, field.value);
  });
}
