// The survivability map: who needs whom in a cluster, its parts as switches, and what becomes of each operation.
// An anywidget front-end module. Everything is worked out here, from the table Python hands over; no timer runs.

import { announce, element, frontEnd, operationWords, panel, svg, watch } from "./shared.js";

const MOST = 7;
const OPERATIONS = ["search", "strong search", "insert", "metadata call", "flush", "load"];
const COURSE = "2.3.5";
// The boxes of the picture in reading order, of all versions. The clients' proxy, whose role is "entry", stands with the others.
const BOXES = [
  "proxy",
  "streamingnode",
  "mixcoord",
  "querycoord",
  "rootcoord",
  "datacoord",
  "querynode",
  "etcd",
  "datanode",
  "indexnode",
  "log",
  "objectstore",
];
// The roles that some versions do not have, and those that do.
const ONLY_IN = {
  streamingnode: ["2.6", "2.6 woodpecker"],
  mixcoord: ["2.6", "2.6 woodpecker"],
  querycoord: [COURSE],
  rootcoord: [COURSE],
  datacoord: [COURSE],
  indexnode: [COURSE],
  log: [COURSE, "2.6"],
};
const LED = new Set(["rootcoord", "querycoord", "datacoord", "mixcoord", "etcd"]);
// A shape for each fate, so that colour is never the only sign.
const SHAPES = { survives: "●", degrades: "◐", stops: "✕" };
const WORST_FIRST = ["stops", "degrades", "survives"];

const SEARCHES = ["search", "strong search"];
// Who needs whom: from, to, where the arrow leaves and where it arrives (shares of a box's width), and the
// operations it is for, where these are not all that need both ends.
const ARROWS_COURSE = [
  { from: "proxy", to: "querycoord", leaves: 0.1, arrives: 0.72 },
  { from: "proxy", to: "rootcoord", leaves: 0.24, arrives: 0.5 },
  { from: "rootcoord", to: "proxy", leaves: 0.8, arrives: 0.38, up: true, only: ["metadata call"] },
  { from: "proxy", to: "datacoord", leaves: 0.76, arrives: 0.5 },
  { from: "proxy", to: "querynode", way: "margin", leaves: 0.03, only: SEARCHES },
  { from: "proxy", to: "log", way: "gutter", only: ["insert"] },
  { from: "querycoord", to: "querynode", leaves: 0.4, arrives: 0.4 },
  { from: "querycoord", to: "etcd", leaves: 0.85, arrives: 0.15 },
  { from: "rootcoord", to: "etcd", leaves: 0.5, arrives: 0.5 },
  { from: "datacoord", to: "etcd", leaves: 0.15, arrives: 0.85 },
  { from: "datacoord", to: "datanode", leaves: 0.5, arrives: 0.5 },
  { from: "datacoord", to: "indexnode", leaves: 0.85, arrives: 0.25 },
  { from: "querynode", to: "log", leaves: 0.65, arrives: 0.2 },
  { from: "querynode", to: "objectstore", leaves: 0.9, arrives: 0.1, only: ["load"] },
  { from: "datanode", to: "log", leaves: 0.2, arrives: 0.8 },
  { from: "datanode", to: "objectstore", leaves: 0.5, arrives: 0.25 },
  { from: "indexnode", to: "objectstore", leaves: 0.5, arrives: 0.75 },
];
const ARROWS_TODAY = [
  { from: "proxy", to: "streamingnode", leaves: 0.05, arrives: 0.6, only: [...SEARCHES, "insert"] },
  { from: "proxy", to: "mixcoord", leaves: 0.6, arrives: 0.6 },
  { from: "streamingnode", to: "mixcoord", way: "side" },
  { from: "streamingnode", to: "querynode", leaves: 0.3, arrives: 0.3, only: SEARCHES },
  { from: "streamingnode", to: "log", way: "margin", leaves: 0.75 },
  { from: "streamingnode", to: "objectstore", way: "margin", leaves: 0.9 },
  { from: "mixcoord", to: "querynode", leaves: 0.04, arrives: 0.9, only: ["load"] },
  { from: "mixcoord", to: "etcd", leaves: 0.3, arrives: 0.6 },
  { from: "mixcoord", to: "datanode", leaves: 0.8, arrives: 0.6 },
  { from: "querynode", to: "objectstore", leaves: 0.9, arrives: 0.1, only: ["load"] },
  { from: "datanode", to: "objectstore", leaves: 0.6, arrives: 0.3 },
];
const DATANODE_TODAY = "datanode in 2.6";

const wordsOf = ({ gettext, pgettext, ngettext, sentences }) => ({
  title: gettext("Who needs whom?"),
  help: gettext(
    "Press a part to switch it off, and again to switch it on. An arrow leads to what is needed.",
  ),
  thought: gettext("In thought: nothing is killed here."),
  version: "Milvus",
  versions: {
    "2.3.5": gettext("2.3.5, the course's"),
    2.6: gettext("2.6 and 3.0, log in Pulsar or Kafka"),
    "2.6 woodpecker": gettext("2.6 and 3.0, log in Woodpecker"),
  },
  documented: gettext(
    "From documentation, not measured here. How long an interruption lasts is not said, and whether a metadata call waits for a lost proxy is not known.",
  ),
  sourceOf: gettext("source"),
  reset: gettext("Switch all on"),
  copies: gettext("Copies of the data"),
  switch: gettext("A switch moves clients to another proxy"),
  fewer: (what) => gettext("One less: {what}", { what }),
  more: (what) => gettext("One more: {what}", { what }),
  most: (n) => gettext("no more than {n} are drawn", { n }),
  gone: gettext("none is left"),
  off: gettext("off"),
  leads: gettext("leads"),
  serves: gettext("the clients' proxy"),
  edited: gettext("edited"),
  sources: {
    profile: (s) => gettext("a cluster on paper: profile {name}", { name: s.name }),
    own: () => gettext("a cluster on paper"),
    cluster: ({ name, engine }) =>
      gettext("as cluster {name} runs now ({engine})", {
        name,
        engine: engine === "simulated" ? gettext("simulated") : engine,
      }),
  },
  none: gettext("none"),
  fates: { survives: gettext("survives"), degrades: gettext("degrades"), stops: gettext("stops") },
  legend: {
    survives: gettext("survives: goes on"),
    degrades: gettext("degrades: fails for a while, then works again by itself"),
    stops: gettext("stops: fails until somebody repairs it"),
  },
  needs: gettext("needs; blue: for the operation chosen"),
  operations: operationWords({ gettext }),
  one: {
    search: gettext("a search"),
    "strong search": gettext("a strong search"),
    insert: gettext("an insert"),
    "metadata call": gettext("a metadata call"),
    flush: gettext("a flush"),
    load: gettext("a load"),
  },
  asks: {
    search: gettext("finds the nearest rows; the newest may still be missing"),
    "strong search": gettext("a search that sees every row written before it"),
    insert: gettext("adds rows"),
    "metadata call": gettext("changes names and not rows, such as an alias"),
    flush: gettext("makes new rows durable, as files"),
    load: gettext("copies rows into query nodes, so that they can be searched"),
  },
  clients: {
    name: gettext("clients"),
    brief: (serving, moves) =>
      moves
        ? gettext("ask any proxy")
        : serving
          ? gettext("know {serving} only", { serving })
          : gettext("know no proxy now"),
    does: gettext(
      "The applications that ask. They know one address and stay with it, unless a switch moves them.",
    ),
  },
  roles: {
    entry: gettext("the clients' proxy"),
    proxy: pgettext("role", "proxy"),
    rootcoord: gettext("root coordinator"),
    querycoord: gettext("query coordinator"),
    datacoord: gettext("data coordinator"),
    querynode: gettext("query node"),
    datanode: gettext("data node"),
    mixcoord: gettext("coordinator (mixcoord)"),
    streamingnode: gettext("streaming node"),
    indexnode: gettext("index node"),
    etcd: "etcd",
    log: gettext("log"),
    objectstore: gettext("object store"),
  },
  brief: {
    proxy: gettext("takes every request"),
    rootcoord: gettext("hands out time"),
    querycoord: gettext("who holds what"),
    datacoord: gettext("where rows go"),
    querynode: gettext("searches in memory"),
    datanode: gettext("writes files"),
    [DATANODE_TODAY]: gettext("compacts, builds indexes"),
    mixcoord: gettext("time, metadata, who holds what"),
    streamingnode: gettext("owns channels of the log"),
    indexnode: gettext("builds indexes"),
    etcd: gettext("who is who: a majority decides"),
    log: gettext("each write, in order"),
    objectstore: gettext("the files"),
  },
  does: {
    proxy: gettext(
      "A proxy takes in every request of its clients, asks the others, and gives the answer back.",
    ),
    rootcoord: gettext(
      "The root coordinator hands out timestamps and keeps the metadata: which collections there are.",
    ),
    querycoord: gettext(
      "The query coordinator decides which query node holds which data, and tells the proxies.",
    ),
    datacoord: gettext("The data coordinator decides where new rows go, and when they are written to files."),
    querynode: gettext("A query node holds a copy of the data in memory and searches it."),
    datanode: gettext("A data node reads new rows from the log and writes them to the object store."),
    [DATANODE_TODAY]: gettext(
      "A data node compacts files, imports, and builds indexes. None of these operations waits for it.",
    ),
    mixcoord: gettext(
      "The coordinator is the root, query and data coordinator in one process. One is active, the others stand by.",
    ),
    streamingnode: gettext(
      "A streaming node owns channels of the log. It alone appends to them, turns new rows into files, and leads the searches of their shards. If it is lost, its channels move to another one.",
    ),
    indexnode: gettext("An index node builds the indexes over finished files, so that searches are fast."),
    etcd: gettext(
      "etcd is a small database that remembers the metadata, and who is alive. It works while a majority of its members does.",
    ),
    log: gettext("The log takes each write in order, before anybody confirms it. All others read it."),
    objectstore: gettext("The object store keeps the finished files: it is the disk of the cluster."),
  },
  needing: (names) => gettext("Needs: {names}.", { names }),
  lost: (said) => gettext("If it is lost: {said}.", { said }),
  thisLost: (name, fates) => gettext("{name} lost: {fates}.", { name, fates }),
  allLost: (all) => gettext("All lost: {all}.", { all }),
  oneLost: (one, all) => gettext("One lost: {one}. All lost: {all}.", { one, all }),
  besides: {
    indexnode: gettext("New files then wait for their index, and searching them may be slower."),
    [DATANODE_TODAY]: gettext(
      "New files then wait to be compacted and indexed, and searching them may be slower.",
    ),
  },
  noSpare: gettext("no spare"),
  noSwitch: gettext("a spare, no switch"),
  noMajority: gettext("half is no majority"),
  noCopy: gettext("spare node, no spare copy"),
  single: (operation, names) =>
    ngettext(
      "Lost alone, this part stops {operation}: {names}.",
      "Lost alone, any of these {number} stops {operation}: {names}.",
      names.length,
      { operation, names: names.join(pgettext("between names", ", ")) },
    ),
  solved: (operation, spares, moves) =>
    sentences(
      gettext("✓ Solved: no part, lost alone, stops {operation}.", { operation }),
      ngettext("The parts it needs have {number} spare.", "The parts it needs have {number} spares.", spares),
      moves ? gettext("The switch there is needs a spare of its own.") : "",
    ),
  absent: (operation) =>
    gettext("Something is switched off or missing that {operation} needs.", { operation }),
  all: gettext("everything"),
  and: pgettext("between names", ", "),
  choose: (operation) => gettext("Show what {operation} needs", { operation }),
  glossary: gettext("What each part and each operation is"),
  colon: gettext(": "),
  sentences,
});

// ---- The mirror of halab.models.survival. A test checks that both agree. ----------------------------------------

const least = (needs, members) => ({ one: 1, majority: Math.floor(members / 2) + 1, nothing: 0 })[needs];

function upsets(upset, lost, copies) {
  if (upset === "leader") return lost.some((part) => part.leads);
  if (upset === "only copy") return lost.length >= copies;
  return upset === "any" && lost.length > 0;
}

const isProxy = (role) => role === "entry" || role === "proxy";

/** Whether members of a role count for a fact: clients that switch are served by every proxy. */
const serves = (role, fact) => (fact.switch || fact.role === "proxy" ? isProxy(role) : role === fact.role);

function verdict(facts, operation, { parts, down, copies, switch: moves }) {
  const off = new Set(down);
  const stopping = [];
  const upsetting = [];
  for (const fact of facts) {
    if (fact.operation !== operation || (fact.switch !== null && fact.switch !== moves)) continue;
    const there = parts.filter((part) => serves(part.role, fact));
    const lost = there.filter((part) => off.has(part.name));
    if (there.length - lost.length < least(fact.needs, there.length)) stopping.push(fact);
    else if (upsets(fact.upset, lost, copies)) upsetting.push(fact);
  }
  if (stopping.length) return { operation, fate: "stops", because: stopping };
  return { operation, fate: upsetting.length ? "degrades" : "survives", because: upsetting };
}

/** What becomes of each operation of the table: its fate, and the facts that decide it. */
export const verdicts = (facts, cluster) => OPERATIONS.map((operation) => verdict(facts, operation, cluster));

/** The names of the parts each of which, lost alone, stops an operation. */
export const singleLosses = (facts, operation, cluster) =>
  cluster.parts
    .map((part) => part.name)
    .filter((name) => verdict(facts, operation, { ...cluster, down: [name] }).fate === "stops");

/** The parts with one more, or one less, in a box. */
export function edited(parts, box, change) {
  const mine = parts.filter((part) => inBox(part, box));
  if (change < 0) {
    const last = mine.at(-1);
    const left = parts.filter((part) => part !== last);
    // Where the leader goes, the first of those that are left leads.
    const heir = last?.leads ? left.find((part) => part.role === box) : undefined;
    return left.map((part) => (part === heir ? { ...part, leads: true } : part));
  }
  const taken = new Set(parts.map((part) => part.name));
  let number = 1;
  while (taken.has(`${box}-${number}`) || (number === 1 && taken.has(box))) number += 1;
  const role = box === "proxy" && !mine.some((part) => part.role === "entry") ? "entry" : box;
  return [...parts, { name: `${box}-${number}`, role, leads: LED.has(role) && !mine.length }];
}

const boxOf = (role) => (role === "entry" ? "proxy" : role);
const inBox = (part, box) => boxOf(part.role) === box;

// ---- The picture ------------------------------------------------------------------------------------------------

const shape = (fate) =>
  element("span", { class: "halab-map-shape", "data-fate": fate, "aria-hidden": "true" }, SHAPES[fate]);

/** A line through points, its corners rounded a little, with an arrow's head at the end. */
function arrow(points) {
  const [[x, y], [fromX, fromY]] = [points.at(-1), points.at(-2)];
  const length = Math.hypot(x - fromX, y - fromY) || 1;
  const [dx, dy] = [(6 * (x - fromX)) / length, (6 * (y - fromY)) / length];
  const line = points.map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  const side = (sign) => `${(x - dx - sign * dy * 0.6).toFixed(1)} ${(y - dy + sign * dx * 0.6).toFixed(1)}`;
  return `${line}M${side(1)}L${x.toFixed(1)} ${y.toFixed(1)}L${side(-1)}`;
}

class SurvivalMap {
  constructor(model, el, speech) {
    this.model = model;
    this.words = wordsOf(speech);
    this.operation = "search";
    this.build(el);
    const draw = () => this.draw();
    this.unwatch = watch(model, { parts: draw, down: draw, copies: draw, switch: draw, version: draw });
    this.resize = new ResizeObserver(() => {
      this.reserve();
      this.drawArrows();
    });
    this.resize.observe(this.picture);
    this.draw();
  }

  destroy() {
    this.resize.disconnect();
    this.unwatch();
  }

  // -- what is built once -----------------------------------------------------------------------------------------

  build(el) {
    const w = this.words;
    this.source = element("span", { class: "halab-map-source" });
    this.reset = element(
      "button",
      { type: "button", class: "halab-map-reset", onclick: () => this.save({ down: [] }) },
      w.reset,
    );
    this.about = element("p", { class: "halab-map-about" }, w.help);
    this.lines = svg("svg", { class: "halab-map-arrows", "aria-hidden": "true" });
    this.clients = element("span", { class: "halab-map-brief" });
    this.boxes = Object.fromEntries(BOXES.map((box) => [box, this.box(box)]));
    this.picture = element(
      "div",
      {
        class: "halab-map-picture",
        onmouseleave: () => this.tell(undefined),
        onfocusout: () => this.tell(undefined),
      },
      this.lines,
      this.telling(
        "clients",
        element(
          "div",
          { class: "halab-map-box halab-map-clients", "data-box": "clients" },
          element("strong", {}, w.clients.name),
          this.clients,
        ),
      ),
      ...Object.values(this.boxes).map((box) => box.root),
      this.legend(),
    );
    this.documented = element("p", { class: "halab-map-documented", role: "status" });
    this.fates = element("ul", { class: "halab-map-fates" });
    this.summary = element("p", { class: "halab-map-summary", role: "status" });
    this.single = element("p", { class: "halab-map-single", role: "status" });
    this.terms = element("dl");
    this.glossary = element(
      "details",
      { class: "halab-map-glossary" },
      element("summary", {}, w.glossary),
      this.terms,
    );
    panel(
      this.model,
      el,
      "halab-map",
      w.title,
      element("div", { class: "halab-top" }, element("strong", {}, w.title), this.source),
      element(
        "div",
        { class: "halab-map-tools" },
        this.versionBox(),
        this.copiesBox(),
        this.switchBox(),
        this.reset,
      ),
      this.documented,
      element(
        "div",
        { class: "halab-map-sides" },
        element("div", {}, this.about, this.summary, this.picture),
        element("div", {}, this.fates, this.single),
      ),
      this.glossary,
    );
  }

  box(box) {
    const w = this.words;
    const [sign, tag] = [
      element("span", { "aria-hidden": "true" }),
      element("span", { class: "halab-map-tag" }),
    ];
    const brief = element("span", { class: "halab-map-brief" });
    const chips = element("span", { class: "halab-map-parts" });
    const root = element(
      "div",
      {
        class: `halab-map-box halab-map-at-${box}`,
        "data-box": box,
        role: "group",
        "aria-label": w.roles[box],
      },
      element(
        "span",
        { class: "halab-map-edit" },
        this.step(w.roles[box], 1, `${box} 1`, () => this.edit(box, 1)),
        this.step(w.roles[box], -1, `${box} -1`, () => this.edit(box, -1)),
      ),
      element("strong", {}, sign, w.roles[box]),
      brief,
      chips,
      tag,
    );
    return { root: this.telling(box, root), sign, brief, tag, chips };
  }

  /** A box whose part's one line stands above the picture while one looks at it. */
  telling(box, root) {
    for (const event of ["mouseenter", "focusin", "click"])
      root.addEventListener(event, () => this.tell(box));
    return root;
  }

  /** What a box's part does, whom it needs (the arrows in words), and what fails without it. */
  line(box) {
    const w = this.words;
    if (box === "clients") return w.clients.does;
    const needed = this.arrows.filter((each) => each.from === box).map((each) => w.roles[each.to]);
    const needs = needed.length ? w.needing(needed.join(w.and)) : "";
    return w.sentences(this.wordOf(w.does, box), needs, ...this.loss(box));
  }

  /** What becomes of the operations if one part of a box is lost, the worst of them, or all. */
  loss(box) {
    const w = this.words;
    const names = this.cluster.parts.filter((part) => inBox(part, box)).map((part) => part.name);
    if (!names.length) return [];
    const without = (down) => verdicts(this.model.get("facts"), { ...this.cluster, down });
    const all = this.told(without(names));
    const besides = this.wordOf(w.besides, box);
    if (names.length === 1) return [w.lost(all), besides];
    const each = names.map((name) => this.told(without([name])));
    // Clients may know one proxy of two: then it matters which of them is lost.
    if (new Set(each).size > 1)
      return [...names.map((name, index) => w.thisLost(name, each[index])), w.allLost(all), besides];
    return [w.oneLost(each[0], all), besides];
  }

  tell(box) {
    const w = this.words;
    this.about.textContent = box === undefined ? w.help : this.line(box);
  }

  /** Room above the picture for the longest of the lines, so that no part moves from under the pointer. It only grows. */
  reserve() {
    const copy = this.about.cloneNode();
    copy.style.cssText = `position: absolute; visibility: hidden; width: ${this.about.clientWidth}px; min-height: 0`;
    this.about.after(copy);
    const heights = this.drawn.map((box) => {
      copy.textContent = this.line(box);
      return copy.offsetHeight + 1; // it is rounded
    });
    copy.remove();
    this.about.style.minHeight = `${Math.max(this.about.offsetHeight, ...heights)}px`;
  }

  step(what, change, name, pressed) {
    const button = element(
      "button",
      {
        type: "button",
        class: "halab-map-step",
        "data-step": name,
        "aria-label": (change < 0 ? this.words.fewer : this.words.more)(what),
      },
      change < 0 ? "−" : "+",
    );
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") pressed();
    });
    return button;
  }

  /** Grey, with the reason as its hint. Not `disabled`: that would throw the keyboard's focus away. */
  grey(button, reason) {
    button.setAttribute("aria-disabled", Boolean(reason));
    button.title = reason || "";
  }

  copiesBox() {
    const w = this.words;
    const steps = (change) =>
      this.step(w.copies, change, `copies ${change}`, () =>
        this.save({ copies: this.model.get("copies") + change }),
      );
    this.copies = element("output");
    this.copySteps = [steps(-1), steps(1)];
    const [less, more] = this.copySteps;
    return element("span", { class: "halab-map-copies" }, `${w.copies}${w.colon}`, less, this.copies, more);
  }

  versionBox() {
    const w = this.words;
    const options = Object.keys(this.model.get("architectures")).map((version) =>
      element("option", { value: version }, w.versions[version]),
    );
    this.versions = element("select", { onchange: () => this.adopt(this.versions.value) }, ...options);
    return element("label", { class: "halab-map-version" }, w.version, this.versions);
  }

  switchBox() {
    this.switch = element("input", {
      type: "checkbox",
      onchange: () => this.save({ switch: this.switch.checked }),
    });
    return element("label", { class: "halab-map-switch" }, this.switch, this.words.switch);
  }

  legend() {
    const w = this.words;
    const entry = (sign, text) => element("span", {}, sign, ` ${text}`);
    return element(
      "p",
      { class: "halab-map-legend" },
      ...Object.keys(SHAPES).map((fate) => entry(shape(fate), w.legend[fate])),
      entry("★", w.leads),
      entry("→", w.needs),
    );
  }

  drawGlossary() {
    const w = this.words;
    const terms = [
      [w.clients.name, w.clients.does],
      ...this.drawn.map((box) => [w.roles[box], this.line(box)]),
      ...Object.keys(w.operations).map((name) => [w.operations[name], w.asks[name]]),
    ];
    this.terms.replaceChildren(
      ...terms.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]),
    );
  }

  // -- what a press does ------------------------------------------------------------------------------------------

  save(change) {
    for (const [trait, value] of Object.entries(change)) this.model.set(trait, value);
    this.model.save_changes();
  }

  flip(name) {
    const down = this.model.get("down");
    this.save({ down: down.includes(name) ? down.filter((each) => each !== name) : [...down, name] });
  }

  edit(box, change) {
    const parts = edited(this.model.get("parts"), box, change);
    const names = new Set(parts.map((part) => part.name));
    this.save({ down: this.model.get("down").filter((name) => names.has(name)), parts });
  }

  /** Another version's parts and facts, all of them on. */
  adopt(version) {
    this.save({ down: [], ...this.model.get("architectures")[version], version });
  }

  choose(operation) {
    this.operation = operation;
    this.draw();
  }

  // -- drawing ----------------------------------------------------------------------------------------------------

  get version() {
    return this.model.get("version");
  }

  /** The boxes that this version has. */
  get drawn() {
    return BOXES.filter((box) => (ONLY_IN[box] ?? [this.version]).includes(this.version));
  }

  get arrows() {
    const all = this.version === COURSE ? ARROWS_COURSE : ARROWS_TODAY;
    return all.filter(({ to }) => this.drawn.includes(to));
  }

  /** A word about a box: the data node has another task today than it had. */
  wordOf(words, box) {
    return words[box === "datanode" && this.version !== COURSE ? DATANODE_TODAY : box];
  }

  get cluster() {
    const { model } = this;
    return {
      parts: model.get("parts"),
      down: model.get("down"),
      copies: model.get("copies"),
      switch: model.get("switch"),
    };
  }

  draw() {
    this.found = verdicts(this.model.get("facts"), this.cluster);
    this.losses = singleLosses(this.model.get("facts"), this.operation, this.cluster);
    // Parts and operations are drawn anew, so the keyboard's place has to be found again.
    const { part, choose } = this.picture.parentElement.parentElement.contains(document.activeElement)
      ? document.activeElement.dataset
      : {};
    this.drawTools();
    for (const box of BOXES) this.boxes[box].root.hidden = !this.drawn.includes(box);
    for (const box of this.drawn) this.drawBox(box);
    this.drawGlossary();
    this.drawFates();
    this.drawSingle();
    this.reserve();
    this.drawArrows();
    if (part) this.picture.querySelector(`[data-part="${part}"]`)?.focus();
    if (choose) this.fates.querySelector(`[data-choose="${choose}"]`)?.focus();
  }

  drawTools() {
    const w = this.words;
    const { parts, down, copies, switch: moves } = this.cluster;
    const source = this.model.get("source");
    const changed =
      JSON.stringify(parts) !== JSON.stringify(this.model.get("architectures")[this.version].parts);
    this.source.replaceChildren(
      w.sources[source.kind](source) + (changed ? ` (${w.edited})` : ""),
      ...(source.kind === "cluster" ? [" ", element("strong", {}, w.thought)] : []),
    );
    this.copies.textContent = String(copies);
    this.grey(this.copySteps[0], copies === 1 && w.gone);
    this.grey(this.copySteps[1], copies === MOST && w.most(MOST));
    this.switch.checked = moves;
    this.versions.value = this.version;
    this.picture.dataset.version = this.version === COURSE ? "course" : "today";
    announce(this.documented, this.version === COURSE ? "" : w.documented);
    this.grey(this.reset, down.length === 0 && " ");
    const serving = parts.find((part) => part.role === "entry");
    this.clients.textContent = w.clients.brief(serving?.name, moves);
  }

  /** How a box fares: the worst that one of its facts does to any operation. */
  fateOf(box) {
    const hurt = (fate) =>
      this.found.some((each) => each.fate === fate && each.because.some((fact) => boxOf(fact.role) === box));
    return hurt("stops") ? "stops" : hurt("degrades") ? "degrades" : "survives";
  }

  drawBox(box) {
    const { root, sign, brief, tag, chips } = this.boxes[box];
    brief.textContent = this.wordOf(this.words.brief, box);
    const mine = this.cluster.parts.filter((part) => inBox(part, box));
    const fate = this.fateOf(box);
    root.dataset.fate = fate;
    sign.textContent = fate === "survives" ? "" : `${SHAPES[fate]} `;
    chips.replaceChildren(
      ...(mine.length ? mine.map((part) => this.chip(part)) : [element("em", {}, this.words.none)]),
    );
    const [more, less] = root.querySelectorAll(".halab-map-step");
    this.grey(more, mine.length >= MOST && this.words.most(MOST));
    this.grey(less, mine.length === 0 && this.words.gone);
    const lacks = this.lacks(box, mine);
    tag.dataset.warns = String(Boolean(lacks));
    tag.textContent = lacks || (mine.length === 1 ? this.words.noSpare : "");
  }

  /** What a box lacks for the operation that is chosen, in a word or two. */
  lacks(box, mine) {
    const w = this.words;
    const { copies, switch: moves } = this.cluster;
    if (mine.some((part) => this.losses.includes(part.name))) {
      if (mine.length < 2) return w.noSpare;
      return box === "proxy" && !moves ? w.noSwitch : w.noMajority;
    }
    const copied = box === "querynode" && SEARCHES.includes(this.operation);
    return copied && copies === 1 && mine.length > 1 ? w.noCopy : "";
  }

  chip(part) {
    const w = this.words;
    const off = this.model.get("down").includes(part.name);
    const said = [part.name, part.leads && w.leads, part.role === "entry" && w.serves, off && w.off];
    return element(
      "button",
      {
        type: "button",
        class: "halab-map-part",
        title: part.name,
        "data-part": part.name,
        "aria-pressed": off,
        "aria-label": said.filter(Boolean).join(", "),
        onclick: () => this.flip(part.name),
      },
      element("span", { "aria-hidden": "true" }, off ? "✕ " : "● "),
      part.name.match(/\d+$/)?.[0] ?? "1",
      part.leads ? " ★" : "",
    );
  }

  drawFates() {
    const w = this.words;
    const row = ({ operation, fate, because }) =>
      element(
        "li",
        { "data-operation": operation, "data-fate": fate },
        shape(fate),
        element(
          "button",
          {
            type: "button",
            class: "halab-map-operation",
            "data-choose": operation,
            "aria-pressed": operation === this.operation,
            title: w.choose(w.one[operation]),
            onclick: () => this.choose(operation),
          },
          w.operations[operation],
        ),
        element("span", { class: "halab-map-fate" }, w.fates[fate]),
        element("span", { class: "halab-map-asks" }, w.asks[operation]),
        element(
          "ul",
          {},
          ...because.map((fact) =>
            element(
              "li",
              {},
              `${w.roles[fact.switch ? "proxy" : fact.role]}${w.colon}${fact.why}`,
              ...(fact.source
                ? [" ", element("a", { href: fact.source, target: "_blank", rel: "noopener" }, w.sourceOf)]
                : []),
            ),
          ),
        ),
      );
    this.fates.replaceChildren(...this.found.map(row));
    announce(this.summary, this.told(this.found)); // where the hand is: above the picture
  }

  /** Verdicts in a line, the worst first. */
  told(found) {
    const w = this.words;
    return WORST_FIRST.map((fate) => {
      const names = found.filter((each) => each.fate === fate).map((each) => w.operations[each.operation]);
      const which = names.length === found.length ? w.all : names.join(w.and);
      return names.length ? `${SHAPES[fate]} ${w.fates[fate]}${w.colon}${which}` : "";
    })
      .filter(Boolean)
      .join("  ");
  }

  /** The challenge: what, lost alone, stops the operation that is chosen; or that nothing does any more. */
  drawSingle() {
    const w = this.words;
    const operation = w.one[this.operation];
    const facts = this.model.get("facts").filter((fact) => fact.operation === this.operation);
    const needed = new Set(facts.filter((fact) => fact.needs !== "nothing").map((fact) => boxOf(fact.role)));
    const count = (box) => this.cluster.parts.filter((part) => inBox(part, box)).length;
    const spares = [...needed].reduce((sum, box) => sum + count(box) - 1, 0);
    const whole = [...needed].every(count);
    const solved = whole && this.losses.length === 0;
    this.single.dataset.solved = solved;
    announce(
      this.single,
      solved
        ? w.solved(operation, spares, this.model.get("switch"))
        : whole
          ? w.single(operation, this.inOrder(this.losses))
          : w.absent(operation),
    );
  }

  /** Names in the order of the boxes. */
  inOrder(names) {
    return this.drawn
      .flatMap((box) => this.cluster.parts.filter((part) => inBox(part, box)))
      .map((part) => part.name)
      .filter((name) => names.includes(name));
  }

  drawArrows() {
    const { clientWidth: width, clientHeight: height } = this.picture;
    if (!width) return;
    this.lines.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const paths = this.arrows.map((each) => this.arrowPath(each));
    this.lines.replaceChildren(this.clientsPath(), ...paths);
    // What is chosen lies on top of what is not.
    for (const path of this.lines.querySelectorAll('[data-used="true"]')) this.lines.append(path);
  }

  place(node) {
    const [outer, inner] = [this.picture.getBoundingClientRect(), node.getBoundingClientRect()];
    const scale = outer.width / this.picture.offsetWidth || 1;
    const [left, top] = [(inner.left - outer.left) / scale, (inner.top - outer.top) / scale];
    const [wide, high] = [inner.width / scale, inner.height / scale];
    return { left, top, right: left + wide, bottom: top + high, wide, middle: top + high / 2 };
  }

  path(points, to, used) {
    return svg("path", { d: arrow(points), "data-used": String(used), "data-fate": this.fateOf(to) });
  }

  /** From the clients to the one proxy they know; with a switch, to all of them. */
  clientsPath() {
    const clients = this.place(this.picture.querySelector('[data-box="clients"]'));
    const serving = this.cluster.parts.find((part) => part.role === "entry");
    const chip = serving && this.picture.querySelector(`[data-part="${serving.name}"]`);
    const box = this.place(this.boxes.proxy.root);
    const goal = chip && !this.model.get("switch") ? this.place(chip) : box;
    const points = [
      [clients.right, goal.middle],
      [goal.left, goal.middle],
    ];
    return this.path(points, "proxy", true);
  }

  arrowPath({ from, to, leaves, arrives, way, up, only }) {
    const [start, end] = [this.place(this.boxes[from].root), this.place(this.boxes[to].root)];
    const at = (box, share) => box.left + share * box.wide;
    const below = start.bottom + 10;
    const ways = {
      margin: () => [
        [at(start, leaves), start.bottom],
        [at(start, leaves), below],
        [end.left - 9, below],
        [end.left - 9, end.middle],
        [end.left, end.middle],
      ],
      gutter: () => [
        [end.right + 9, start.bottom],
        [end.right + 9, end.middle],
        [end.right, end.middle],
      ],
      side: () => [
        [start.right, start.middle],
        [end.left, start.middle],
      ],
      straight: () => [
        [at(start, leaves), up ? start.top : start.bottom],
        [at(end, arrives), up ? end.bottom : end.top],
      ],
    };
    const needed = (box) =>
      this.model.get("facts").some((fact) => fact.operation === this.operation && boxOf(fact.role) === box);
    const used = only ? only.includes(this.operation) : needed(from) && needed(to);
    return this.path(ways[way ?? "straight"](), to, used);
  }
}

export default frontEnd(SurvivalMap);
