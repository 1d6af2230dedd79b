// What several widgets do alike. anywidget takes one module a widget and resolves no import beside it, so `front_end`
// in base.py puts this text before each widget's own. Every name here is therefore one that no widget may give again.

// ---- Building -----------------------------------------------------------------------------------------------------

/** Attributes that begin with "on" are listeners; one that is false or undefined is left out. */
function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-"))
      made.setAttribute(name, value); // a state, which is told when it is false too
    else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const element = (tag, attributes = {}, ...children) =>
  filled(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** An id, or a name, that nothing else on the page has. Not a count: anywidget loads this text anew for every widget. */
const ownId = () => `halab-${Math.random().toString(36).slice(2)}`;

/** A control with its label before it, and what belongs between the two. */
function labelled(style, text, control, ...between) {
  control.id = ownId();
  return element("div", { class: style }, element("label", { for: control.id }, text), ...between, control);
}

/** A slider with its label. `say` writes what its value means, for the eye and for who hears it; `moved` gets the value. */
function slider(style, text, attributes, moved) {
  const output = element("output");
  const input = element("input", { type: "range", ...attributes, oninput: () => moved(Number(input.value)) });
  const root = labelled(style, text, input, output);
  output.setAttribute("for", input.id);
  const say = (meaning) => {
    output.textContent = meaning;
    input.setAttribute("aria-valuetext", meaning);
  };
  return { root, input, say };
}

/** Draws a picture anew, of this size: what its parts measure are pixels. */
function redraw(picture, width, height, parts) {
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height }))
    picture.setAttribute(name, value);
  picture.replaceChildren(...parts);
}

// ---- Standing in JupyterLab ---------------------------------------------------------------------------------------

/** The place on the page that JupyterLab gives a widget, with the class that its styles name. */
function prepareHost(el, name) {
  el.classList.add(name);
  el.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes keys pressed here for its own shortcuts
}

/** JupyterLab's notebook takes arrow keys that bubble up to it, and a slider would stand still. */
function keepArrowKeys(place) {
  place.addEventListener("keydown", (event) => {
    if (event.key.startsWith("Arrow")) event.stopPropagation();
  });
}

/** The language of the words, as HTML calls it: who reads them aloud must know. */
const htmlLang = (model) => (model.get("lang") === "zh" ? "zh-Hans" : "en");

/** Writes only when it changed: a status region is read aloud each time it is written. */
function announce(region, text) {
  if (region.textContent !== text) region.textContent = text;
}

// ---- Talking with Python ------------------------------------------------------------------------------------------

/** Calls what stands by a trait's name when it changes. Gives what ends it. */
function watch(model, changed) {
  for (const [trait, call] of Object.entries(changed)) model.on(`change:${trait}`, call);
  return () => {
    for (const [trait, call] of Object.entries(changed)) model.off(`change:${trait}`, call);
  };
}

/** Keeps the trait `visible` true while somebody can see the widget: Python looks at the cluster only then. Gives what ends it. */
function watchSight(model, el) {
  let onScreen = false;
  function tell() {
    const visible = onScreen && document.visibilityState === "visible";
    if (visible !== model.get("visible")) {
      model.set("visible", visible);
      model.save_changes();
    }
  }
  const observer = new IntersectionObserver((entries) => {
    onScreen = entries.at(-1).isIntersecting;
    tell();
  });
  observer.observe(el);
  document.addEventListener("visibilitychange", tell);
  return () => {
    observer.disconnect();
    document.removeEventListener("visibilitychange", tell);
    onScreen = false;
    tell();
  };
}

// ---- Chance -------------------------------------------------------------------------------------------------------

/** A generator of numbers from 0 to 1 that begins with a seed (mulberry32, public domain). */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
