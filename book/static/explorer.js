// Moves the explorers of a page: a control chooses one of the pictures that were drawn at build time.
// The setting is kept in the address, as in #explorer-name:inputs=100,std=0.1, so that it can be
// linked to.  Anchors of headings have no colon: they are left alone.

function readAddress() {
  const [id, settings] = location.hash.slice(1).split(":");
  if (settings === undefined) return {};
  const pairs = settings.split(",").map((part) => part.split("=").map(decodeURIComponent));
  return { id, chosen: Object.fromEntries(pairs) };
}

function startExplorer(figure) {
  const { alt, frames } = JSON.parse(figure.querySelector("script").textContent);
  const picture = figure.querySelector("img");
  const sentence = figure.querySelector("output");
  const controls = [...figure.querySelectorAll("input, select")].map((input) => ({
    input,
    // A select knows its words itself; a slider has places, and lists what they mean.
    codes: input.dataset.codes ? JSON.parse(input.dataset.codes) : [...input.options].map((o) => o.value),
    texts: input.dataset.texts ? JSON.parse(input.dataset.texts) : null,
  }));
  const placeOf = ({ input, texts }) => (texts ? Number(input.value) : input.selectedIndex);

  function show() {
    // The frames stand in the order of nested loops over the controls, the last one fastest.
    const frame = frames[controls.reduce((place, c) => place * c.codes.length + placeOf(c), 0)];
    picture.src = frame.src;
    picture.alt = `${alt} ${frame.sentence}`.trim();
    sentence.textContent = frame.sentence;
    for (const c of controls.filter((c) => c.texts)) {
      c.input.setAttribute("aria-valuetext", c.texts[placeOf(c)]);
      c.input.nextElementSibling.textContent = c.texts[placeOf(c)];
    }
  }

  function remember() {
    const settings = controls.map((c) => `${c.input.name}=${encodeURIComponent(c.codes[placeOf(c)])}`);
    history.replaceState(history.state, "", `#${figure.id}:${settings.join(",")}`);
  }

  function restore() {
    const { id, chosen } = readAddress();
    if (id !== figure.id) return;
    for (const { input, codes, texts } of controls) {
      const place = codes.indexOf(chosen[input.name]);
      if (place >= 0) input[texts ? "value" : "selectedIndex"] = place;
    }
    show();
    figure.scrollIntoView();
  }

  // A time axis has a button that runs through its values until the reader moves something.
  function startPlayer(button) {
    const input = button.parentElement.querySelector("input");
    const name = button.getAttribute("aria-label").replace(/^Play /, "");
    let clock = null;

    function announce(word) {
      button.textContent = word;
      button.setAttribute("aria-label", `${word} ${name}`);
      sentence.setAttribute("aria-live", word === "Play" ? "polite" : "off"); // not every frame aloud
    }
    function pause() {
      clearInterval(clock);
      clock = null;
      announce("Play");
    }
    function next() {
      input.stepUp();
      show();
      remember();
      if (input.value === input.max) pause();
    }
    function play() {
      if (input.value === input.max) input.value = -1; // once more from the start
      announce("Pause");
      clock = setInterval(next, 800);
    }
    button.addEventListener("click", () => (clock ? pause() : play()));
    figure.addEventListener("input", pause);
  }

  figure.querySelectorAll("button").forEach(startPlayer);
  figure.addEventListener("input", () => { show(); remember(); });
  addEventListener("hashchange", restore);
  figure.querySelector(".explorer-controls").hidden = false;
  show(); // a browser may have kept a slider's place over a reload
  restore();
}

document.querySelectorAll("figure.explorer").forEach(startExplorer);
