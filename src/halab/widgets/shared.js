// What several widgets do alike. anywidget takes one module a widget and resolves no import beside it, so `front_end`
// in base.py puts this text before each widget's own. Every name here is therefore one that no widget may give again.

// ---- Building -----------------------------------------------------------------------------------------------------

/** Attributes that begin with "on" are listeners; one that is false or undefined is left out. */
export function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-"))
      made.setAttribute(name, value); // a state, which is told when it is false too
    else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export const element = (tag, attributes = {}, ...children) =>
  filled(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** An id, or a name, that nothing else on the page has. Not a count: anywidget loads this text anew for every widget. */
export const ownId = () => `halab-${Math.random().toString(36).slice(2)}`;

/** A control with its label before it, and what belongs between the two. */
export function labelled(style, text, control, ...between) {
  control.id = ownId();
  return element("div", { class: style }, element("label", { for: control.id }, text), ...between, control);
}

/**
 * A slider with its label; `attributes` are those of the input, `moved` gets the new value. `show` of what it returns
 * writes what the value means beside the label, for the eye and for who hears it.
 */
export function slider(text, attributes, moved) {
  const output = element("output");
  const input = element("input", { type: "range", ...attributes, oninput: () => moved(Number(input.value)) });
  const root = labelled("halab-slider", text, input, output);
  output.setAttribute("for", input.id);
  const show = (meaning) => {
    output.textContent = meaning;
    input.setAttribute("aria-valuetext", meaning);
  };
  return { root, input, show };
}

/** A legend's entry: a swatch of the colour that class `style` gives, and what it stands for. */
export const swatch = (style, text) =>
  element("span", {}, element("i", { class: `halab-swatch ${style}` }), text);

/** A row of headings for a table. */
export const headings = (names) =>
  element("thead", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name))));

/** How many letters wide a text is; a Chinese character takes two. */
export const letters = (text) => [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 2 : 1), 0);

/** Draws a picture anew, of this size: what its parts measure are pixels. */
export function redraw(picture, width, height, parts) {
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height }))
    picture.setAttribute(name, value);
  picture.replaceChildren(...parts);
}

// ---- Requests as marks ------------------------------------------------------------------------------------------

/** What can become of a request, from the harmless to the worst. "waiting" is one on its way. */
export const WORST_LAST = ["ok", "waiting", "late", "empty", "unknown", "fail"];

/** A mark's path: shape tells the outcome, colour only repeats it. */
export function markPath(fate, x, y, r = 3.2) {
  if (fate === "fail") return `M${x - r} ${y - r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`;
  if (fate === "unknown")
    return `M${x} ${y - r - 1}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z`;
  if (fate === "empty") return `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
  if (fate === "late") return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
  return `M${x} ${y}h0`; // a round line cap of no length: a dot
}

/**
 * A lane: the marks of requests, each a place `x` and a fate. Those that fall into one column of `column` pixels stand
 * one above the other, `pitch` apart, up from `y`; where there are more than `rows`, the worst are drawn.
 */
export function laneMarks(requests, { y, column, rows = 1, pitch = 0, r = 3.2, style = "" }) {
  const columns = new Map();
  for (const request of requests) {
    const at = Math.floor(request.x / column);
    if (!columns.has(at)) columns.set(at, []);
    columns.get(at).push(request);
  }
  const paths = {};
  for (const [at, all] of columns) {
    const worst = all.map(({ fate }) => WORST_LAST.indexOf(fate)).sort((a, b) => b - a);
    const drawn =
      all.length > rows
        ? worst.slice(0, rows).map((place) => WORST_LAST[place])
        : all.map(({ fate }) => fate);
    const x = all.length === 1 && rows === 1 ? all[0].x : (at + 0.5) * column;
    drawn.forEach((fate, row) => {
      paths[fate] = (paths[fate] ?? "") + markPath(fate, x, y - row * pitch, r);
    });
  }
  return WORST_LAST.filter((fate) => paths[fate]).map((fate) =>
    svg("path", { d: paths[fate], class: `halab-mark halab-mark-${fate} ${style}` }),
  );
}

/** The legend of these fates; `words` says what each means. */
export const markLegend = (fates, words) =>
  element(
    "div",
    { class: "halab-legend" },
    ...fates.map((fate) =>
      element(
        "span",
        {},
        svg(
          "svg",
          { width: 16, height: 14, "aria-hidden": "true" },
          svg("path", { d: markPath(fate, 8, 7), class: `halab-mark halab-mark-${fate}` }),
        ),
        words[fate],
      ),
    ),
  );

// ---- Words --------------------------------------------------------------------------------------------------------

const filledIn = (message, values = {}) =>
  message.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

/**
 * How a widget says what it says: English stands in its code, as in Python's, and `messages` has each text in another
 * language, from the catalogue in locale/. One with a plural has its forms there, and which of them a number takes.
 */
export function speechOf(messages = {}) {
  const gettext = (message, values) => filledIn(messages[message] ?? message, values);
  return {
    gettext,
    pgettext: (context, message, values) =>
      filledIn(messages[`${context}\u0004${message}`] ?? message, values),
    ngettext(one, many, number, values) {
      const { forms, which } = messages[one] ?? { forms: [one, many], which: [1, 0, 1] };
      // Beyond a hundred a language counts by the last two digits, if at all.
      const form = forms[which[number < which.length ? number : 100 + (number % 100)] ?? forms.length - 1];
      return filledIn(form, { number, ...values });
    },
    /** Sentences that follow each other; an empty one is none. */
    sentences: (...all) =>
      all.filter(Boolean).reduce((first, second) => gettext("{first} {second}", { first, second })),
  };
}
export const ENGLISH = speechOf();

/** The language of the words, as HTML calls it: who reads them aloud must know. */
export const htmlLang = (model) => model.get("html_lang");

/** Where the switch on the start page says the course's new language to every widget that is open in this browser. */
const SWITCHED = "halab-language";
export function sayLanguage(lang) {
  const channel = new BroadcastChannel(SWITCHED);
  channel.postMessage(lang);
  channel.close();
}

/**
 * What anywidget asks of a module. `draw` fills `el` and gives what ends it; it is called with the model, the place and
 * how the widget speaks. In another language all is drawn anew, from what the model keeps.
 */
export const spoken = (draw) => ({
  initialize({ model }) {
    const channel = new BroadcastChannel(SWITCHED);
    channel.onmessage = ({ data: lang }) => {
      model.set("lang", lang);
      model.save_changes();
    };
    return () => channel.close();
  },
  render({ model, el }) {
    let end;
    const again = () => {
      const focused = placeOf(document.activeElement, el);
      end?.();
      el.replaceChildren();
      end = draw(model, el, speechOf(model.get("speech")));
      focused?.reduce((node, child) => node?.children[child], el)?.focus();
    };
    model.on("change:speech", again);
    again();
    return () => {
      model.off("change:speech", again);
      end?.();
    };
  },
});

/** Where a node is below `root`, as a child's number at each step: what is drawn anew has its like there. */
function placeOf(node, root) {
  if (!root.contains(node)) return null;
  const place = [];
  for (let at = node; at !== root; at = at.parentElement)
    place.unshift([...at.parentElement.children].indexOf(at));
  return place;
}

/** The same for a widget that is a class with `destroy`. */
export const frontEnd = (Widget) =>
  spoken((model, el, speech) => {
    const widget = new Widget(model, el, speech);
    return () => widget.destroy();
  });

// ---- In JupyterLab ------------------------------------------------------------------------------------------------

/** Prepares the place on the page that JupyterLab gives a widget. */
export function prepareHost(model, el) {
  if (el.classList.contains("halab-host")) return;
  el.classList.add("halab-host");
  el.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes keys pressed here for its own shortcuts
  // Arrow keys that bubble up to it, JupyterLab's notebook takes in any case, and a slider would stand still.
  el.addEventListener("keydown", (event) => {
    if (event.key.startsWith("Arrow")) event.stopPropagation();
  });
  // What JupyterLab calls when the kernel restarts. What was drawn stays, beneath a line about it.
  model.on("comm_live_update", () => {
    const told = el.previousElementSibling?.classList.contains("halab-ended");
    if (told) return;
    const { gettext } = speechOf(model.get("speech"));
    const ended = gettext(
      "The kernel that made this was restarted. Before you use it, run this cell again (Shift+Enter), after the cells it builds on.",
    );
    el.before(element("p", { class: "halab-ended", role: "status" }, ended));
  });
}

/** The box a widget is: of this class, with its name and language for who hears it. */
export function panel(model, el, style, title, ...children) {
  prepareHost(model, el);
  const attributes = { class: `halab-widget ${style}`, "aria-label": title, lang: htmlLang(model) };
  const root = element("section", attributes, ...children);
  el.append(root);
  return root;
}

/**
 * A widget that draws pictures as wide as its place. A subclass has `build`, which fills `root` once, and `update`,
 * which draws anew; its constructor ends with `start`.
 */
export class Picture {
  constructor(model, el, style, words) {
    this.model = model;
    this.words = words;
    this.root = panel(model, el, `halab-dense ${style}`, words.title);
  }

  start() {
    this.build();
    this.observer = new ResizeObserver(() => this.update());
    this.observer.observe(this.root);
    this.update();
  }

  /** Pixels that a picture may be wide. */
  get width() {
    return Math.max(320, Math.min(1060, this.root.clientWidth - 30));
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
  }
}

/** Writes only when it changed: a status region is read aloud each time it is written. */
export function announce(region, text) {
  if (region.textContent !== text) region.textContent = text;
}

// ---- Talking with Python ------------------------------------------------------------------------------------------

/** Calls what stands by a trait's name when it changes. Gives what ends it. */
export function watch(model, changed) {
  for (const [trait, call] of Object.entries(changed)) model.on(`change:${trait}`, call);
  return () => {
    for (const [trait, call] of Object.entries(changed)) model.off(`change:${trait}`, call);
  };
}

/** Keeps the trait `visible` true while somebody can see the widget: Python looks at the cluster only then. Gives what ends it. */
export function watchSight(model, el) {
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

/** What a user may ask of a cluster, in words. */
export const operationWords = ({ gettext }) => ({
  search: gettext("search"),
  "strong search": gettext("strong search"),
  insert: gettext("insert"),
  "metadata call": gettext("metadata call"),
  flush: gettext("flush"),
  load: gettext("load"),
});

/** How a component is, in words: its health ("" where there is none), and who leads. */
export const componentWords = ({ gettext }) => ({
  health: {
    healthy: gettext("healthy"),
    unhealthy: gettext("unhealthy"),
    waiting: gettext("waiting"),
    starting: gettext("starting"),
    hung: gettext("hung"),
    down: gettext("down"),
    "": gettext("not running"),
  },
  ha_state: {
    active: gettext("active"),
    standby: gettext("standby"),
    leader: gettext("leader"),
    follower: gettext("follower"),
  },
});
