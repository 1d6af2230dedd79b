// RTO and RPO: a time line with a disaster to drag, and strategies on a map with their prices.
// Runs in the browser alone. An anywidget front-end module. Nothing moves by itself, so there is no timer.

import { element, frontEnd, headings, labelled, Picture, redraw, slider, svg, swatch } from "./shared.js";

// ---- Arithmetic: the mirror of halab.models.recovery. A test compares both. -----------------------------------

export const DISASTERS = ["node", "log", "mistake", "site"];
const YEAR = 365 * 86400;

/** Seconds of data lost at a moment, with a copy begun every `interval` and ready `takes` later. */
export function age(interval, takes, at) {
  const newest = Math.floor((at - takes) / interval) * interval;
  return Math.min(Math.max(at - newest, takes), takes + interval);
}

/** Every strategy with its price a year and, for each disaster it survives, [rto, rpo] in the worst case. */
export function strategies(s) {
  const alone = { node: [s.restart, 0], log: [s.decide + s.restart, s.flush] };
  const replicas = { ...alone, node: [s.failover, 0] };
  const moved = [s.decide + s.promote, s.delay];
  const standby = { ...replicas, log: moved, site: moved };
  const atOnce = [s.promote, 0];
  const synchronous = { ...replicas, log: atOnce, site: atOnce };
  const restored = [s.decide + s.restore, s.takes + s.interval];
  const kinds = [
    ["one cluster", s.cluster, alone],
    ["replicas", s.cluster + s.replicas, replicas],
    ["warm standby", s.cluster + s.replicas + s.standby, standby],
    ["synchronous sites", s.cluster + s.replicas + s.synchronous, synchronous],
  ];
  return kinds.flatMap(([name, cost, recoveries]) => [
    { name, cost, recoveries },
    {
      name: `${name} + backups`,
      cost: cost + (s.backup * YEAR) / s.interval,
      recoveries: Object.fromEntries(DISASTERS.map((one) => [one, recoveries[one] ?? restored])),
    },
  ]);
}

/** [rto, rpo] over these disasters, or null if one of them is not survived. */
export function worst(strategy, disasters) {
  const found = disasters.map((one) => strategy.recoveries[one]);
  if (!found.length || found.some((one) => one === undefined)) return null;
  return [Math.max(...found.map((one) => one[0])), Math.max(...found.map((one) => one[1]))];
}

export function fits(strategy, need) {
  return need.disasters.every((one) => {
    const found = strategy.recoveries[one];
    return found !== undefined && found[0] <= need.rto && found[1] <= need.rpo;
  });
}

/** The cheapest that fits, the first of equals; null if none does. */
export function cheapest(offered, need) {
  return offered
    .filter((one) => fits(one, need))
    .reduce((best, one) => (best && best.cost <= one.cost ? best : one), null);
}

/** A time as people say it: "24 h 30 min" tells an interval and a duration apart, "1.02 d" does not. */
export function duration(seconds, units = ["d", "h", "min", "s"]) {
  const sizes = [86400, 3600, 60, 1];
  const at = [172800, 3600, 60].findIndex((least) => seconds >= least);
  if (at < 0) return `${Number(seconds.toPrecision(3))} ${units[3]}`;
  const small = Math.floor(seconds / sizes[at + 1] + 0.5);
  const inOne = sizes[at] / sizes[at + 1];
  const [whole, rest] = [Math.floor(small / inOne), small % inOne];
  return `${whole} ${units[at]}${rest ? ` ${rest} ${units[at + 1]}` : ""}`;
}

// ---- Words ----------------------------------------------------------------------------------------------------

const wordsOf = ({ gettext, pgettext }) => ({
  units: [gettext("d"), gettext("h"), gettext("min"), gettext("s")],
  title: gettext("RTO and RPO"),
  drag: gettext("Drag the disaster along the line, or move it with the arrow keys."),
  disasterAt: (when) => gettext("Disaster {when} after the second backup was begun.", { when }),
  lines: [gettext("Backups"), gettext("Warm standby"), gettext("Query replicas")],
  notes: [gettext("site lost"), gettext("site lost"), gettext("one node lost")],
  copy: gettext("a backup: it holds what was there when it was begun, and can be used when its bar ends"),
  lost: gettext("data lost"),
  out: gettext("without service"),
  said: (lost, out) => gettext("RPO {lost}, RTO {out}", { lost, out }),
  none: gettext("0 (nothing lost)"),
  map: gettext("Strategies"),
  mapNote: gettext(
    "RTO to the right, RPO upwards, each in the worst case of the disasters you ticked. The shaded corner is what your service allows.",
  ),
  need: gettext("What your service allows"),
  must: gettext("and it must survive"),
  rto: gettext("RTO, at most"),
  rpo: gettext("RPO, at most"),
  disasters: {
    node: gettext("a node dies"),
    log: gettext("the log is lost"),
    mistake: gettext("the wrong rows are deleted"),
    site: gettext("the whole site is lost"),
  },
  times: gettext("Your times (assumptions)"),
  prices: gettext("Your prices a year (assumptions)"),
  knobs: {
    interval: gettext("between two backups"),
    takes: gettext("a backup takes"),
    restore: gettext("restoring a backup"),
    decide: gettext("noticing and deciding"),
    promote: gettext("promoting a standby"),
    delay: gettext("a standby is behind"),
    flush: gettext("between two flushes"),
    restart: gettext("starting a process again"),
    failover: gettext("failover to a replica"),
  },
  costs: {
    cluster: pgettext("cost", "one cluster"),
    replicas: gettext("replicas of it"),
    standby: gettext("a standby site"),
    synchronous: gettext("a synchronous site"),
    backup: gettext("each backup"),
  },
  names: {
    "one cluster": gettext("one cluster"),
    replicas: pgettext("protection", "replicas"),
    "warm standby": gettext("warm standby"),
    "synchronous sites": gettext("synchronous sites"),
    backups: gettext("backups"),
  },
  columns: [
    "",
    gettext("strategy"),
    pgettext("column", "cost a year"),
    "RTO",
    "RPO",
    pgettext("strategy", "fits"),
  ],
  yes: pgettext("strategy", "yes"),
  no: pgettext("strategy", "no"),
  best: gettext("yes, cheapest"),
  dead: gettext("not survived"),
  verdict: (name, cost) => gettext("Cheapest that fits: {name}, {cost} a year.", { name, cost }),
  nothing: gettext("None of them fits. Allow more, or ask for less."),
  tick: gettext("Tick at least one disaster."),
  sites: gettext(
    "Milvus does not replicate between sites synchronously; the strategy shows what an RPO of 0 would cost.",
  ),
});

// Each duration's slider runs over these seconds, logarithmically. RPO and lag begin at 0.
const RANGES = {
  rto: [1, 7 * 86400],
  rpo: [0, 30 * 86400],
  interval: [900, 7 * 86400],
  takes: [60, 86400],
  restore: [60, 2 * 86400],
  decide: [1, 86400],
  promote: [1, 86400],
  delay: [0, 86400],
  flush: [1, 86400],
  restart: [1, 3600],
  failover: [1, 600],
};
const STEPS = 200;
const toSeconds = ([low, high], step) => {
  if (low === 0) return step === 0 ? 0 : round(10 ** (((step - 1) / (STEPS - 1)) * Math.log10(high)));
  return round(low * 10 ** ((step / STEPS) * Math.log10(high / low)));
};
const toStep = ([low, high], seconds) => {
  if (low === 0) return seconds < 1 ? 0 : 1 + (Math.log10(seconds) / Math.log10(high)) * (STEPS - 1);
  return (Math.log10(Math.max(seconds, low) / low) / Math.log10(high / low)) * STEPS;
};
const round = (seconds) => Number(seconds.toPrecision(2));

// ---- The widget -----------------------------------------------------------------------------------------------

const label = (x, y, text, more = {}) => svg("text", { x, y, ...more }, text);

class RecoveryPlanner extends Picture {
  constructor(model, el, speech) {
    super(model, el, "halab-recovery", wordsOf(speech));
    this.setting = { ...model.get("setting") };
    this.need = { ...model.get("need"), disasters: [...model.get("need").disasters] };
    this.share = 0.62; // where the disaster falls between the second backup and the third's end
    this.line = svg("svg", {
      class: "halab-recovery-line",
      role: "slider",
      tabindex: "0",
      "aria-label": this.words.drag,
      "aria-valuemin": "0",
      onpointerdown: (event) => this.grab(event),
      onpointermove: (event) => this.drag(event),
      onpointerup: () => {
        this.held = false;
      },
      onkeydown: (event) => this.key(event),
    });
    this.said = element("p", { class: "halab-note halab-recovery-said", role: "status" });
    this.chart = svg("svg", { class: "halab-recovery-map", role: "img" });
    this.verdict = element("p", { class: "halab-recovery-verdict", role: "status" });
    this.body = element("tbody");
    this.start();
  }

  time(seconds) {
    return duration(seconds, this.words.units);
  }

  // -- building ---------------------------------------------------------------------------------------------

  build() {
    const w = this.words;
    this.root.append(
      element("p", { class: "halab-note" }, w.drag),
      this.line,
      this.said,
      element(
        "p",
        { class: "halab-legend" },
        ...["copy", "lost", "out"].map((what) => swatch(`halab-recovery-${what}`, w[what])),
      ),
      element(
        "div",
        { class: "halab-recovery-columns" },
        element(
          "div",
          {},
          element("h4", {}, w.map),
          this.chart,
          element("p", { class: "halab-note" }, w.mapNote),
        ),
        element(
          "div",
          {},
          element(
            "fieldset",
            {},
            element("legend", {}, w.need),
            this.slider("rto", this.need, w.rto),
            this.slider("rpo", this.need, w.rpo),
            element("p", { class: "halab-recovery-must" }, w.must),
            ...DISASTERS.map((one) => this.box(one)),
          ),
          this.verdict,
        ),
      ),
      element("div", { class: "halab-scroll" }, element("table", {}, headings(w.columns), this.body)),
      element("p", { class: "halab-note" }, w.sites),
      element(
        "fieldset",
        {},
        element("legend", {}, w.times),
        element(
          "div",
          { class: "halab-knobs" },
          ...Object.entries(w.knobs).map(([name, text]) => this.slider(name, this.setting, text)),
        ),
      ),
      element(
        "details",
        {},
        element("summary", {}, w.prices),
        element(
          "div",
          { class: "halab-knobs" },
          ...Object.entries(w.costs).map(([name, text]) => this.price(name, text)),
        ),
      ),
    );
  }

  slider(name, of, text) {
    const value = Math.round(toStep(RANGES[name], of[name]));
    const { root, show } = slider(text, { name, min: 0, max: STEPS, step: 1, value }, (step) => {
      of[name] = toSeconds(RANGES[name], step);
      show(this.time(of[name]));
      this.changed();
    });
    show(this.time(of[name]));
    return root;
  }

  box(name) {
    const input = element("input", {
      type: "checkbox",
      name,
      checked: this.need.disasters.includes(name),
      onchange: () => {
        const ticked = new Set(this.need.disasters);
        if (input.checked) ticked.add(name);
        else ticked.delete(name);
        this.need.disasters = DISASTERS.filter((one) => ticked.has(one));
        this.changed();
      },
    });
    return element("label", { class: "halab-recovery-box" }, input, ` ${this.words.disasters[name]}`);
  }

  price(name, text) {
    const input = element("input", {
      name,
      type: "number",
      min: "0",
      step: "any",
      value: String(this.setting[name]),
      oninput: () => {
        if (!input.checkValidity() || input.value === "") return;
        this.setting[name] = Number(input.value);
        this.changed();
      },
    });
    return labelled("halab-recovery-price", text, input);
  }

  changed() {
    this.model.set("setting", { ...this.setting });
    this.model.set("need", { ...this.need });
    this.model.save_changes();
    this.update();
  }

  // -- the time line ----------------------------------------------------------------------------------------

  /** Seconds after the second backup was begun. */
  get at() {
    return this.share * 2 * this.setting.interval;
  }

  update() {
    this.drawLine(this.width);
    this.drawMap(this.width < 640 ? this.width : Math.min(560, this.width - 330));
    this.fill();
  }

  drawLine(width) {
    const { setting: s, words: w } = this;
    const from = -s.interval;
    const ends = [s.decide + s.restore, s.decide + s.promote, s.failover].map((out) => this.at + out);
    const to = Math.max(2.2 * s.interval, ...ends) + 0.05 * s.interval;
    const left = 118;
    const x = (t) => left + ((Math.max(t, from) - from) / (to - from)) * (width - left - 10);
    this.x = { from, to, left, width };
    const losses = [age(s.interval, s.takes, this.at), s.delay, 0];
    const parts = [];
    w.lines.forEach((name, row) => {
      const y = 26 + row * 52;
      parts.push(
        label(0, y + 12, name, { class: "halab-name" }),
        label(0, y + 28, w.notes[row], { class: "halab-quiet" }),
      );
      parts.push(
        svg("line", { class: "halab-recovery-rail", x1: left, x2: width - 10, y1: y + 12, y2: y + 12 }),
      );
      if (row === 0) parts.push(...this.copies(x, y, from, to));
      const end = ends[row];
      parts.push(
        svg("rect", {
          class: "halab-recovery-lost",
          x: x(this.at - losses[row]),
          y,
          width: Math.max(0, x(this.at) - x(this.at - losses[row])),
          height: 24,
        }),
      );
      parts.push(
        svg("rect", {
          class: "halab-recovery-out",
          x: x(this.at),
          y,
          width: Math.max(1.5, x(end) - x(this.at)),
          height: 24,
        }),
      );
      const said = w.said(losses[row] ? this.time(losses[row]) : w.none, this.time(end - this.at));
      const beside = x(this.at) + 200 < width; // under the bars, to the right of the disaster or to its left
      parts.push(
        label(x(this.at) + (beside ? 8 : -8), y + 38, said, {
          class: "halab-recovery-figure",
          "text-anchor": beside ? "start" : "end",
        }),
      );
    });
    const here = x(this.at);
    parts.push(svg("line", { class: "halab-recovery-disaster", x1: here, x2: here, y1: 14, y2: 170 }));
    parts.push(svg("path", { class: "halab-recovery-handle", d: `M${here - 9} 2h18l-9 14z` }));
    redraw(this.line, width, 176, parts);
    this.line.setAttribute("aria-valuemax", String(2 * s.interval));
    this.line.setAttribute("aria-valuenow", String(Math.round(this.at)));
    const figures = w.lines.map(
      (name, row) => `${name}: ${w.said(this.time(losses[row]), this.time(ends[row] - this.at))}`,
    );
    this.line.setAttribute("aria-valuetext", `${w.disasterAt(this.time(this.at))} ${figures.join("; ")}`);
    this.said.textContent = w.disasterAt(this.time(this.at));
  }

  copies(x, y, from, to) {
    const { interval, takes } = this.setting;
    const parts = [];
    for (let begun = from; begun < to; begun += interval) {
      const ready = begun + takes;
      const done = ready <= this.at;
      if (begun > this.at) break; // what was not begun before the disaster never was
      parts.push(
        svg("rect", {
          class: `halab-recovery-copy${done ? "" : " halab-recovery-broken"}`,
          x: x(begun),
          y: y + 5,
          width: Math.max(3, x(Math.min(ready, this.at)) - x(begun)),
          height: 14,
        }),
      );
    }
    return parts;
  }

  grab(event) {
    this.held = true;
    this.line.setPointerCapture(event.pointerId);
    this.line.focus();
    this.drag(event);
    event.preventDefault();
  }

  drag(event) {
    if (!this.held) return;
    const box = this.line.getBoundingClientRect();
    const { from, to, left, width } = this.x;
    const at =
      from + (((event.clientX - box.left) * (width / box.width) - left) / (width - left - 10)) * (to - from);
    this.move(at / (2 * this.setting.interval));
  }

  key(event) {
    const moves = {
      ArrowRight: 0.01,
      ArrowUp: 0.01,
      ArrowLeft: -0.01,
      ArrowDown: -0.01,
      PageUp: 0.1,
      PageDown: -0.1,
    };
    if (event.key in moves) this.move(this.share + moves[event.key]);
    else if (event.key === "Home") this.move(0);
    else if (event.key === "End") this.move(1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(share) {
    this.share = Math.min(1, Math.max(0, share));
    this.drawLine(this.x.width);
  }

  // -- the map ----------------------------------------------------------------------------------------------

  drawMap(width) {
    const [left, bottom, height] = [52, 34, 270];
    const right = width - 12;
    const axis = (low, high, from, to) => (v) =>
      from + (Math.log10(Math.min(Math.max(v, low), high) / low) / Math.log10(high / low)) * (to - from);
    const x = axis(1, 14 * 86400, left, right);
    const floor = height - bottom - 22; // 0 has a row of its own below one second
    const log = axis(1, 60 * 86400, floor, 12);
    const y = (v) => (v < 1 ? height - bottom : log(v));
    const parts = [
      svg("rect", {
        class: "halab-recovery-allowed",
        x: left,
        y: y(this.need.rpo) - 7,
        width: x(this.need.rto) - left,
        height: height - bottom - y(this.need.rpo) + 14,
      }),
    ];
    for (const mark of [1, 60, 3600, 86400]) {
      parts.push(
        svg("line", {
          class: "halab-recovery-grid",
          x1: x(mark),
          x2: x(mark),
          y1: 8,
          y2: height - bottom + 8,
        }),
        label(x(mark), height - 12, this.time(mark), { "text-anchor": "middle" }),
      );
    }
    for (const mark of [0, 1, 60, 3600, 86400]) {
      parts.push(
        svg("line", { class: "halab-recovery-grid", x1: left, x2: right, y1: y(mark), y2: y(mark) }),
        label(left - 8, y(mark) + 4, mark ? this.time(mark) : "0", { "text-anchor": "end" }),
      );
    }
    parts.push(
      label(right, height - 1, "RTO →", { "text-anchor": "end", class: "halab-quiet" }),
      label(left + 4, 12, "↑ RPO", { class: "halab-quiet" }),
    );
    const places = new Map();
    this.offered = strategies(this.setting);
    this.offered.forEach((one, index) => {
      const found = worst(one, this.need.disasters);
      if (!found) return;
      const place = `${Math.round(x(found[0]) / 16)} ${Math.round(y(found[1]) / 16)}`;
      if (!places.has(place)) places.set(place, { x: x(found[0]), y: y(found[1]), who: [], good: false });
      places.get(place).who.push(index + 1);
      places.get(place).good ||= fits(one, this.need);
    });
    for (const { x: px, y: py, who, good } of places.values()) {
      const text = who.join(" ");
      const half = 9 + 3.6 * (text.length - 1);
      const cx = Math.min(Math.max(px, left + half), right - half);
      parts.push(
        svg("rect", {
          class: `halab-recovery-place${good ? " halab-recovery-good" : ""}`,
          x: cx - half,
          y: py - 9,
          width: 2 * half,
          height: 18,
          rx: 9,
        }),
        label(cx, py + 4, text, { "text-anchor": "middle", class: "halab-recovery-number" }),
      );
    }
    redraw(this.chart, width, height, parts);
    this.chart.setAttribute("aria-label", `${this.words.map}. ${this.words.mapNote}`);
  }

  name(strategy) {
    return strategy.name
      .split(" + ")
      .map((part) => this.words.names[part])
      .join(" + ");
  }

  fill() {
    const w = this.words;
    const some = this.need.disasters.length > 0;
    const best = some ? cheapest(this.offered, this.need) : null;
    this.body.replaceChildren(
      ...this.offered.map((one, index) => {
        const found = worst(one, this.need.disasters);
        const fit = some && fits(one, this.need);
        const cells = [
          String(Math.round(one.cost)),
          ...(found ? found.map((time) => this.time(time)) : [some ? w.dead : "–", some ? w.dead : "–"]),
          one === best ? w.best : fit ? w.yes : w.no,
        ];
        return element(
          "tr",
          { class: one === best ? "halab-recovery-best" : fit ? "halab-recovery-fit" : "" },
          element("td", {}, String(index + 1)),
          element("th", { scope: "row" }, this.name(one)),
          ...cells.map((cell) => element("td", {}, cell)),
        );
      }),
    );
    this.verdict.textContent = !some
      ? w.tick
      : best
        ? w.verdict(this.name(best), Math.round(best.cost))
        : w.nothing;
  }
}

export default frontEnd(RecoveryPlanner);
