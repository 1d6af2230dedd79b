// One write, copied four ways, as a race on one time axis. Runs in the browser alone. An anywidget front-end module.

import { element, frontEnd, headings, Picture, redraw, slider, svg, swatch } from "./shared.js";

// ---- Arithmetic: the mirror of halab.models.replication. A test compares both. --------------------------------

export const WAYS = ["serial", "parallel", "quorum", "log"];

/** Mean time until `needed` of `copies` that were sent at once are done. */
export function kthFastest({ base, jitter }, copies, needed) {
  let sum = 0;
  for (let left = copies - needed + 1; left <= copies; left += 1) sum += 1 / left;
  return base + jitter * sum;
}

/** For each way the mean times until the acknowledgement and until every copy has the row. */
export function expected(s) {
  const all = kthFastest(s, s.copies, s.copies);
  const one = s.base + s.jitter;
  return {
    serial: [s.copies * one, s.copies * one],
    parallel: [all, all],
    quorum: [kthFastest(s, s.copies, s.needed), all],
    log: [one, one + all],
  };
}

/** One write by each way, from the same draws: bars [from, to] by copy, the acknowledgement, and the end. */
export function race(s, draw) {
  const times = draw.slice(0, s.copies).map((share) => s.base - s.jitter * Math.log(1 - share));
  const starts = times.map((_, n) => times.slice(0, n).reduce((sum, time) => sum + time, 0));
  const sorted = [...times].sort((a, b) => a - b);
  const append = s.base - s.jitter * Math.log(1 - draw[draw.length - 1]);
  const whole = (bars, acknowledged) => ({ bars, acknowledged, end: Math.max(...bars.map((bar) => bar[1])) });
  const together = times.map((time) => [0, time]);
  return {
    serial: whole(
      times.map((time, n) => [starts[n], starts[n] + time]),
      starts[s.copies - 1] + times[s.copies - 1],
    ),
    parallel: whole(together, sorted[s.copies - 1]),
    quorum: whole(together, sorted[s.needed - 1]),
    log: whole([[0, append], ...times.map((time) => [append, append + time])], append),
  };
}

// ---- Words ----------------------------------------------------------------------------------------------------

const wordsOf = ({ gettext, pgettext }) => ({
  title: gettext("One write, copied four ways"),
  write: gettext("Write one row"),
  knobs: {
    base: gettext("a copy takes at least"),
    jitter: gettext("and more, on average"),
    copies: pgettext("number", "copies"),
    needed: gettext("acknowledgements needed"),
  },
  names: {
    serial: gettext("one by one"),
    parallel: gettext("all at once"),
    quorum: gettext("quorum"),
    log: "Milvus",
  },
  notes: {
    serial: () => gettext("waits for each in turn"),
    parallel: () => gettext("waits for the slowest"),
    quorum: (s) => gettext("waits for {needed} of {copies}", { needed: s.needed, copies: s.copies }),
    log: () => gettext("waits for the log only"),
  },
  acknowledged: gettext("acknowledged"),
  key: {
    bar: gettext("copying"),
    read: gettext("a replica reads the log"),
    ack: gettext("acknowledged: the client goes on"),
  },
  columns: [
    "",
    gettext("acknowledged, on average"),
    gettext("this time"),
    gettext("in every copy, on average"),
    gettext("this time"),
  ],
  said: (parts) => gettext("Acknowledged: {parts}.", { parts: parts.join(gettext(", ")) }),
  ready: gettext("Press Write one row."),
  first: gettext("★ first"),
  axis: gettext("milliseconds after the write was sent"),
  note: gettext(
    "The same draws for all four, so that the race is fair. The figures are made up; what they show is the shape. That a replica reads as fast as a copy is written is an assumption.",
  ),
});

const RANGES = { base: [1, 100], jitter: [0, 100], copies: [1, 5], needed: [1, 5] };
const SLOWDOWN = 25; // milliseconds of watching for one of writing
const ms = (value) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;

class WriteRace extends Picture {
  constructor(model, el, speech) {
    super(model, el, "halab-write", wordsOf(speech));
    this.s = Object.fromEntries(Object.keys(RANGES).map((name) => [name, model.get(name)]));
    this.draw = [0.35, 0.85, 0.6, 0.5, 0.7, 0.55];
    this.at = 0; // how far the animation has come, milliseconds of writing: 0 until the first write
    this.sliders = {};
    this.chart = svg("svg", { class: "halab-write-chart", role: "img", "aria-label": this.words.title });
    this.said = element("p", { class: "halab-note halab-write-said", role: "status" });
    this.body = element("tbody");
    this.start();
  }

  build() {
    const w = this.words;
    this.root.append(
      element("div", { class: "halab-knobs" }, ...Object.keys(RANGES).map((name) => this.slider(name))),
      element(
        "button",
        { type: "button", class: "halab-main halab-write-write", onclick: () => this.write() },
        w.write,
      ),
      this.chart,
      element(
        "p",
        { class: "halab-legend" },
        ...["bar", "read", "ack"].map((what) => swatch(`halab-write-${what}`, w.key[what])),
      ),
      this.said,
      element("div", { class: "halab-scroll" }, element("table", {}, headings(w.columns), this.body)),
      element("p", { class: "halab-note" }, w.note),
    );
  }

  shown(name) {
    return name === "base" || name === "jitter" ? `${this.s[name]} ms` : String(this.s[name]);
  }

  slider(name) {
    const [min, max] = RANGES[name];
    this.sliders[name] = slider(this.words.knobs[name], { name, min, max, step: 1 }, (value) =>
      this.set(name, value),
    );
    return this.sliders[name].root;
  }

  set(name, value) {
    this.s[name] = value;
    if (name === "copies") this.s.needed = Math.floor(value / 2) + 1; // a quorum is a majority unless one says less

    for (const [each, number] of Object.entries(this.s)) this.model.set(each, number);
    this.model.save_changes();
    cancelAnimationFrame(this.frame);
    this.at = 0;
    this.update();
  }

  write() {
    this.draw = this.draw.map(() => Math.random());
    cancelAnimationFrame(this.frame);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.at = Infinity;
      this.update();
      return;
    }
    const began = performance.now();
    const end = Math.max(...Object.values(race(this.s, this.draw)).map((one) => one.end));
    const pace = Math.min(SLOWDOWN, 4000 / end);
    const step = () => {
      this.at = (performance.now() - began) / pace;
      if (this.at >= end) this.at = Infinity;
      this.update();
      if (this.at < Infinity) this.frame = requestAnimationFrame(step);
    };
    step();
  }

  update() {
    for (const [name, { input, show }] of Object.entries(this.sliders)) {
      if (name === "needed") input.max = String(this.s.copies);
      input.value = String(this.s[name]);
      show(this.shown(name));
    }
    const raced = race(this.s, this.draw);
    this.drawLanes(raced, expected(this.s));
    this.fill(raced, expected(this.s));
  }

  drawLanes(raced, mean) {
    const { words: w, s } = this;
    const { width } = this;
    const left = 150; // room for the longest note beside the bars
    const to = Math.max(...WAYS.map((way) => Math.max(raced[way].end, ...mean[way]))) * 1.04;
    const x = (time) => left + (time / to) * (width - left - 12);
    const first = Math.min(...WAYS.map((way) => raced[way].acknowledged));
    const parts = [];
    let y = 4;
    for (const way of WAYS) {
      const one = raced[way];
      const height = one.bars.length * 13;
      parts.push(svg("text", { class: "halab-name", x: 0, y: y + 12 }, w.names[way]));
      parts.push(svg("text", { class: "halab-quiet", x: 0, y: y + 27 }, w.notes[way](s)));
      one.bars.forEach(([from, until], n) => {
        const end = Math.min(until, this.at);
        const reads = way === "log" && n > 0;
        parts.push(
          svg("line", {
            class: "halab-write-rail",
            x1: left,
            x2: width - 12,
            y1: y + n * 13 + 6,
            y2: y + n * 13 + 6,
          }),
        );
        if (end > from)
          parts.push(
            svg("rect", {
              class: reads ? "halab-write-read" : "halab-write-bar",
              x: x(from),
              y: y + n * 13 + 1,
              width: Math.max(1, x(end) - x(from)),
              height: 10,
            }),
          );
      });
      if (this.at >= one.acknowledged) {
        const here = x(one.acknowledged);
        parts.push(
          svg("line", { class: "halab-write-ackline", x1: here, x2: here, y1: y - 2, y2: y + height + 2 }),
        );
        parts.push(
          svg("path", { class: "halab-write-ackmark", d: `M${here - 5} ${y + height + 9}l5 -8l5 8z` }),
        );
        const fits = here + 150 < width;
        parts.push(
          svg(
            "text",
            {
              class: "halab-write-figure",
              x: here + (fits ? 9 : -9),
              y: y + height + 11,
              "text-anchor": fits ? "start" : "end",
            },
            `${w.acknowledged} ${ms(one.acknowledged)}${this.at === Infinity && one.acknowledged === first ? ` ${w.first}` : ""}`,
          ),
        );
      }
      y += Math.max(height, 30) + 24;
    }
    redraw(this.chart, width, y + 32, [...parts, ...this.scale(x, to, y)]);
  }

  /** The axis below the bars: a line, a tick and a figure at round times, and what they mean. */
  scale(x, to, y) {
    const step = [5, 10, 20, 50, 100, 200, 500, 1000].find((each) => to / each <= 6) ?? 2000;
    const parts = [svg("line", { class: "halab-write-axis", x1: x(0), x2: x(to), y1: y, y2: y })];
    for (let time = 0; time <= to; time += step) {
      parts.push(svg("line", { class: "halab-write-axis", x1: x(time), x2: x(time), y1: y, y2: y + 4 }));
      parts.push(
        svg("text", { class: "halab-quiet", x: x(time), y: y + 16, "text-anchor": "middle" }, String(time)),
      );
    }
    parts.push(svg("text", { class: "halab-quiet", x: x(0), y: y + 30 }, this.words.axis));
    return parts;
  }

  fill(raced, mean) {
    const w = this.words;
    const rows = WAYS.map((way) => {
      const done = this.at === Infinity;
      const pending = this.at ? "…" : "–";
      const cells = [
        ms(mean[way][0]),
        done ? ms(raced[way].acknowledged) : pending,
        ms(mean[way][1]),
        done ? ms(raced[way].end) : pending,
      ];
      return element(
        "tr",
        {},
        element("th", { scope: "row" }, w.names[way]),
        ...cells.map((cell) => element("td", {}, cell)),
      );
    });
    this.body.replaceChildren(...rows);
    if (this.at === 0) this.said.textContent = w.ready;
    if (this.at === Infinity)
      this.said.textContent = w.said(WAYS.map((way) => `${w.names[way]} ${ms(raced[way].acknowledged)}`));
  }
}

export default frontEnd(WriteRace);
