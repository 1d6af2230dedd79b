// Three availability calculators: what another copy buys, what a chain of parts is worth, what a promise leaves. The
// formulas are worked out in the browser, so no slider waits for the kernel; for the chain the kernel simulates years
// once the hand rests. An anywidget front-end module. While nothing changes there is no timer.

import { announce, ENGLISH, element, frontEnd, headings, panel, slider, svg, watch } from "./shared.js";

// ---- Closed form: the mirror of halab.models.availability*. A browser test checks that both agree. ------------

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const YEAR = 365 * DAY;
const DUST = 1e-9;

/** Seconds in a day, a week, a month and a year. */
export function periods(s) {
  const year = Number(s.year) * DAY;
  return { day: DAY, week: 7 * DAY, month: s.month === "30 days" ? 30 * DAY : year / 12, year };
}

function choose(n, k) {
  let ways = 1;
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i;
  return Math.round(ways);
}

/** The share of time in which fewer than k of n copies work, each of which is down this share by itself. */
export function tooFew(k, n, down) {
  let lost = 0;
  for (let i = k - 1; i >= 0; i--) lost += choose(n, i) * (1 - down) ** i * down ** (n - i);
  return Math.min(1, lost);
}

const steady = (mtbf, mttr) => mtbf / (mtbf + mttr);

/** The share of time in which all copies are down together, and in which one of the rest is by itself: c and i. */
function shares(down, beta) {
  const together = beta * down;
  return [together, together === 1 ? 0 : (down - together) / (1 - together)];
}

const both = (one, other) => one + (1 - one) * other;

/** What a block lacks: with common causes, and with failovers as well. Not 1 minus something, which nines would lose. */
function lacks(s, n, k) {
  const [together, alone] = shares(s.mttr / (s.mtbf + s.mttr), s.beta);
  const common = both(together, tooFew(k, n, alone));
  const waits = n === k ? 0 : (k * s.failover) / s.mtbf;
  return { common, all: both(common, waits / (1 + waits)) };
}

/** The figures of the copies, each as the share of time without service. */
export function computeCopies(s, n = s.copies) {
  const one = s.mttr / (s.mtbf + s.mttr);
  const { common, all } = lacks(s, n, 1);
  return { one, independent: one ** n, common, all };
}

/** The availability of each block, and of the chain. */
export function computeChain(s) {
  const blocks = s.blocks.map((each) => 1 - lacks(s, each.copies, each.needed).all);
  return { blocks, chain: blocks.reduce((product, each) => product * each, 1) };
}

export function computePromise(s) {
  const { month } = periods(s);
  const budget = (1 - s.slo) * month;
  const burn = s.errors / (1 - s.slo);
  return {
    budget,
    failovers: s.failover === 0 ? null : Math.floor((budget / s.failover) * (1 + DUST)),
    burn,
    gone_in: burn === 0 ? null : month / burn,
  };
}

// ---- Words ------------------------------------------------------------------------------------------------------

const wordsOf = ({ gettext, pgettext, ngettext }) => ({
  titles: {
    copies: gettext("What another copy buys"),
    chain: gettext("A chain of parts, each of which is needed"),
    promise: gettext("What a promise leaves"),
  },
  helps: {
    copies: gettext(
      "Pull Copies, and watch the big mark. A failure now and then, a repair after it: that is one copy.",
    ),
    chain: gettext("Change how many copies a part has. The longest bar is the part that is down most."),
    promise: gettext("Pull the objective, and see what is left to spend in a month."),
  },
  one: gettext("One copy"),
  mtbf: gettext("Runs for, on average (MTBF)"),
  mttr: gettext("Is repaired in, on average (MTTR)"),
  availability: gettext("so it works, in %"),
  number: gettext("Copies, any one of which is enough"),
  beta: gettext("Common cause: share of the downtime that strikes all"),
  failover: gettext("A failover takes"),
  slo: gettext("Objective (SLO): share of good requests"),
  errors: gettext("Bad requests now"),
  aYear: (time) => gettext("{time} a year", { time }),
  lines: [
    gettext("independent, instant: the card"),
    gettext("with common causes"),
    gettext("and with failovers"),
  ],
  copiesAxis: pgettext("axis", "copies"),
  downAxis: gettext("down a year"),
  now: (count) => ngettext("{number} copy", "{number} copies", count),
  symbols: {
    A: gettext("A₁: one copy"),
    n: gettext("n: copies"),
    c: gettext("c: share of the time in which all are down together"),
    i: gettext("i: share of the rest in which one copy is down by itself"),
    T: gettext("T: a failover"),
  },
  blocks: {
    proxy: pgettext("role", "proxy"),
    "root coordinator": gettext("root coordinator"),
    "query coordinator": gettext("query coordinator"),
    "data coordinator": gettext("data coordinator"),
    log: gettext("log"),
    "object store": gettext("object store"),
    "query node": gettext("query node"),
    "data node": gettext("data node"),
  },
  head: [
    gettext("part"),
    pgettext("column", "copies"),
    gettext("needed"),
    gettext("works"),
    gettext("down a year"),
  ],
  scale: gettext("Bars: downtime, on a logarithmic scale."),
  weakest: (name) => gettext("{name}, weakest", { name }),
  whole: gettext("the chain"),
  presets: { small: gettext("One of each"), ha: gettext("This course's cluster") },
  simulation: gettext("The chain, year by year"),
  simulated: (closed, seen, error) =>
    gettext("By the formula {closed} a year; simulated {seen} ± {error}.", { closed, seen, error }),
  simulationNote: (years) =>
    gettext("Simulated, not measured: {years} years, each failure drawn by chance.", { years }),
  years: (low, middle, high, calm, all) =>
    gettext("Best year {low}, middle {middle}, worst {high}. {calm} of {all} had no outage.", {
      low,
      middle,
      high,
      calm,
      all,
    }),
  simulating: gettext("simulating"),
  waiting: gettext("waiting for the kernel"),
  again: gettext("Simulate again"),
  ninesTable: gettext("The nines: time down in"),
  yearOf: gettext("A year has"),
  monthOf: gettext("A month has"),
  days: gettext("days"),
  months: { "30 days": gettext("30 days"), "a twelfth of the year": gettext("a twelfth of the year") },
  period: {
    day: gettext("a day"),
    week: gettext("a week"),
    month: gettext("a month"),
    year: gettext("a year"),
  },
  calendar: (year, month) => gettext("A year of {year} days, a month of {month} days", { year, month }),
  budget: (slo, time) => gettext("{slo} leaves {time} a month: the error budget.", { slo, time }),
  failovers: (count, time) =>
    ngettext(
      "It pays for one failover of {time} a month.",
      "It pays for {count} failovers of {time} a month.",
      count,
      { count: count.toLocaleString("en"), time },
    ),
  free: gettext("Failovers take no time here, so it pays for any number."),
  burn: (rate, time) => gettext("Burn rate {rate}: the month's budget is gone in {time}.", { rate, time }),
  calm: gettext("Burn rate 0: nothing is spent."),
  alerts: {
    page: gettext("Wake somebody (SRE workbook: 14.4 over an hour, or 6 over six hours)."),
    ticket: gettext("Open a ticket (SRE workbook: 1 over three days)."),
    none: gettext("Within the budget: no alert."),
  },
  noNumber: (text) => gettext("“{text}” is no number here. Write it such as 99.5 or 99,5.", { text }),
  noShare: (text) =>
    gettext("One copy works between 0 and 100 % of the time, both excluded: {text} is not between.", {
      text,
    }),
  noCount: (name, what, text) =>
    gettext("{name}: {what} is a whole number from 1 to 9, and “{text}” is not.", { name, what, text }),
  units: { ms: gettext("ms"), s: gettext("s"), min: gettext("min"), h: gettext("h"), d: gettext("days") },
  under: gettext("under 1 ms"),
  nearlyAll: gettext("more than 99.9999999 %"),
  card: gettext("card"),
});

function plain(value, digits = 3) {
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(digits));
  return rounded >= 1e6 || rounded < 1e-4
    ? rounded.toExponential().replace("e+", "e")
    : rounded.toLocaleString("en", { maximumSignificantDigits: digits });
}

/** A time in the unit that fits it, three digits. */
export function spell(seconds, words = wordsOf(ENGLISH)) {
  if (seconds === 0) return `0 ${words.units.s}`;
  if (seconds < 1e-3) return words.under;
  const [unit, size] =
    seconds < 0.9995
      ? ["ms", 1e-3]
      : seconds < 99.95
        ? ["s", 1]
        : seconds < HOUR
          ? ["min", MINUTE]
          : seconds < 48 * HOUR
            ? ["h", HOUR]
            : ["d", DAY];
  return `${plain(seconds / size)} ${words.units[unit]}`;
}

const ninesOf = (down) => (down === 0 ? Infinity : Math.abs(Math.log10(down)));

/** A percentage with the digits its nines need, and never all of it: beyond nine nines it says so in words. */
export function percent(a, words = wordsOf(ENGLISH)) {
  if (1 - a < 0.999e-9) return words.nearlyAll;
  const digits = Math.max(0, Math.ceil(ninesOf(1 - a) - 2 - 1e-6)) + 2;
  const cut = Math.floor(a * 100 * 10 ** digits + 1e-4) / 10 ** digits;
  return `${Number(cut.toFixed(digits))} %`;
}

/** A number as people write it, with a point or a comma. NaN for what is none, or for 1,000: that may be either. */
export function parseNumber(text) {
  const written = text.trim();
  if (/^[1-9]\d{0,2}(,\d{3})+$/.test(written)) return NaN;
  return /^-?\d+([.,]\d+)?$/.test(written) ? Number(written.replace(",", ".")) : NaN;
}

// ---- Marks ------------------------------------------------------------------------------------------------------

const MARKS = [
  (x, y, size = 4) =>
    `M${x - size} ${y}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0`,
  (x, y, size = 4) => `M${x - size} ${y - size}h${2 * size}v${2 * size}h${-2 * size}z`,
  (x, y, size = 4) => `M${x} ${y - size * 1.25}l${size * 1.25} ${size * 2.25}h${-size * 2.5}z`,
];
const DASHES = ["2 4", "7 4", "none"];

const SLOS = [0.9, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 0.999999];
const MOST_NINES = 9; // drawn; what has more leaves the chart at its top, as an arrow
const MOST_COPIES = 8;
const CARD = [0.99, 0.9999, 0.999999]; // what the card states for one, two and three copies

// A slider may stand on a scale of its own: how a setting becomes the slider's place, and back.
const logarithmic = (low, high) => ({
  from: (x) => Math.exp(x),
  to: Math.log,
  min: Math.log(low),
  max: Math.log(high),
  step: 0.01,
});
const SCALES = {
  mtbf: logarithmic(HOUR, 10 * YEAR),
  mttr: logarithmic(5, 7 * DAY),
  copies: { min: 1, max: MOST_COPIES, step: 1 },
  beta: { min: 0, max: 0.5, step: 0.005 },
  failover: { min: 0, max: 120, step: 0.5 },
  slo: {
    from: (x) => SLOS[x],
    to: (slo) =>
      Math.max(
        0,
        SLOS.findLastIndex((each) => each <= slo),
      ),
    min: 0,
    max: SLOS.length - 1,
    step: 1,
  },
  errors: {
    from: (x) => (x <= -5 ? 0 : 10 ** x),
    to: (x) => (x === 0 ? -5 : Math.log10(x)),
    min: -5,
    max: 0,
    step: 0.02,
  },
};

// ---- What all three do --------------------------------------------------------------------------------------------

class Calculator {
  constructor(model, el, speech) {
    this.model = model;
    this.words = wordsOf(speech);
    this.s = structuredClone(model.get("settings"));
    this.shows = []; // what writes a control's own value beside it
    const part = model.get("part");
    const title = this.words.titles[part];
    this.root = panel(
      model,
      el,
      `halab-dense halab-calculator halab-calculator-${part}`,
      title,
      element("div", { class: "halab-top" }, element("strong", {}, title)),
      element("p", { class: "halab-quiet" }, this.words.helps[part]),
      this.build(),
    );
    this.unwatch = watch(model, {
      settings: () => {
        const sent = model.get("settings");
        if (JSON.stringify(sent) === JSON.stringify(this.s)) return;
        this.s = structuredClone(sent);
        this.draw();
      },
      ...this.watched(),
    });
    this.draw();
  }

  watched() {
    return {};
  }

  destroy() {
    clearTimeout(this.saving);
    this.unwatch();
  }

  draw() {
    for (const show of this.shows) show();
    this.drawResults();
  }

  change(change) {
    this.s = { ...this.s, ...change };
    this.draw();
    // The kernel is told once the hand rests, so that the settings can be read in the next cell.
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      this.model.set("settings", structuredClone(this.s));
      this.model.save_changes();
    }, 200);
  }

  slider(key, label, meaning) {
    const { from = (x) => x, to = (x) => x, ...range } = SCALES[key];
    const { root, input, show } = slider(label, { ...range, name: key }, (value) =>
      this.change({ [key]: from(value) }),
    );
    this.shows.push(() => {
      if (document.activeElement !== input) input.value = to(this.s[key]);
      show(meaning(this.s[key]));
    });
    return root;
  }

  time(seconds) {
    return spell(seconds, this.words);
  }

  percent(a) {
    return percent(a, this.words);
  }

  share(x) {
    return `${plain(x * 100)} %`;
  }

  /** The sliders of what fails and how it is repaired. */
  times(...keys) {
    const meaning = { beta: (x) => this.share(x) };
    return keys.map((key) => this.slider(key, this.words[key], meaning[key] ?? ((x) => this.time(x))));
  }

  /** What was typed and is refused, in words, below the field; the figures stay those of the last sound value. */
  complain(input, complaint) {
    input.setAttribute("aria-invalid", Boolean(complaint));
    announce(this.problem, complaint);
  }

  problemLine() {
    this.problem = element("p", { class: "halab-calculator-problem", role: "alert" });
    return this.problem;
  }

  columns(left, right) {
    return element(
      "div",
      { class: "halab-calculator-columns" },
      element("div", { class: "halab-calculator-controls" }, ...left),
      element("div", { class: "halab-calculator-results" }, ...right),
    );
  }
}

// ---- What another copy buys ---------------------------------------------------------------------------------------

class Copies extends Calculator {
  build() {
    const w = this.words;
    this.chart = element("div", { class: "halab-calculator-chart" });
    this.legend = element("div", { class: "halab-legend" });
    this.formula = element("div", { class: "halab-calculator-formula", "aria-live": "polite" });
    this.resize = new ResizeObserver(() => {
      if (this.chart.clientWidth && this.chart.clientWidth !== this.width) this.drawChart();
    });
    this.resize.observe(this.chart);
    return this.columns(
      [
        this.slider("copies", w.number, String),
        ...this.times("beta", "failover"),
        element(
          "fieldset",
          {},
          element("legend", {}, w.one),
          ...this.times("mtbf", "mttr"),
          this.availabilityField(),
          this.problemLine(),
        ),
      ],
      [this.chart, this.legend, this.formula],
    );
  }

  destroy() {
    this.resize.disconnect();
    super.destroy();
  }

  /** One copy by its availability: the repair stays, and the time between failures follows. */
  availabilityField() {
    const input = element("input", { type: "text", inputmode: "decimal", name: "availability" });
    input.addEventListener("input", () => {
      const typed = parseNumber(input.value);
      const a = typed / 100;
      const words = this.words;
      if (Number.isNaN(typed)) return this.complain(input, words.noNumber(input.value));
      if (!(a > 0 && a < 1)) return this.complain(input, words.noShare(input.value.trim()));
      this.complain(input, "");
      return this.change({ mtbf: (this.s.mttr * a) / (1 - a) });
    });
    this.shows.push(() => {
      if (document.activeElement === input) return;
      input.value = percent(steady(this.s.mtbf, this.s.mttr)).replace(" %", "");
      this.complain(input, "");
    });
    return element("label", { class: "halab-calculator-field" }, this.words.availability, input);
  }

  drawResults() {
    this.figures = computeCopies(this.s);
    this.drawChart();
    this.drawFormula();
  }

  downText(down) {
    return this.words.aYear(this.time(down * YEAR));
  }

  /** The chart's lines by number: a cost that is 0 has no line of its own, which would hide another. */
  lines() {
    const counts = Array.from({ length: MOST_COPIES }, (_, i) => i + 1);
    const line = (key) => counts.map((n) => [n, computeCopies(this.s, n)[key]]);
    const lines = [[0, line("independent")]];
    if (this.s.beta > 0) lines.push([1, line("common")]);
    if (this.s.failover > 0) lines.push([2, line("all")]);
    return lines;
  }

  drawChart() {
    const w = this.words;
    this.width = this.chart.clientWidth || 560;
    const box = { left: 92, right: this.width - 84, top: 20, bottom: 218 };
    this.x = (n) => box.left + 14 + ((n - 1) / (MOST_COPIES - 1)) * (box.right - box.left - 28);
    this.y = (count) => box.bottom - (count / MOST_NINES) * (box.bottom - box.top);
    const lines = this.lines();
    const said = lines
      .map(([number, line]) => {
        const points = line.map(([n, down]) => `${n} ${this.percent(1 - down)}`);
        return `${w.lines[number]}: ${points.join(", ")}`;
      })
      .join("; ");
    const picture = svg(
      "svg",
      {
        viewBox: `0 0 ${this.width} 256`,
        height: 256,
        role: "img",
        "aria-label": `${w.titles.copies}. ${said}`,
      },
      ...this.axes(box),
      ...CARD.map((a, i) => this.cross(i + 1, a)),
      ...lines.flatMap(([number, line]) => this.drawLine(number, line)),
    );
    this.chart.replaceChildren(picture);
    this.drawHere(picture, box, lines.at(-1)[0]);
    this.drawLegend(lines.map(([number]) => number));
  }

  axes(box) {
    const w = this.words;
    const { right } = box;
    const drawn = [];
    for (let count = 0; count <= MOST_NINES; count++) {
      const down = 10 ** -count;
      const y = this.y(count);
      drawn.push(
        svg("line", { x1: box.left, x2: right, y1: y, y2: y, class: "halab-calculator-grid" }),
        svg("text", { x: box.left - 8, y: y + 4, "text-anchor": "end" }, this.percent(1 - down)),
        svg("text", { x: right + 8, y: y + 4, class: "halab-quiet" }, this.time(down * YEAR)),
      );
    }
    for (let n = 1; n <= MOST_COPIES; n++)
      drawn.push(svg("text", { x: this.x(n), y: box.bottom + 18, "text-anchor": "middle" }, String(n)));
    const middle = (box.left + right) / 2;
    drawn.push(
      svg(
        "text",
        { x: middle, y: box.bottom + 34, "text-anchor": "middle", class: "halab-quiet" },
        w.copiesAxis,
      ),
      svg("text", { x: right + 8, y: box.bottom + 18, class: "halab-quiet" }, w.downAxis),
    );
    return drawn;
  }

  cross(n, a) {
    const d = `M${this.x(n) - 8} ${this.y(ninesOf(1 - a))}h16m-8 -8v16`;
    const title = svg("title", {}, `${this.words.card}: ${this.percent(a)}`);
    return svg("path", { d, class: "halab-calculator-card" }, title);
  }

  /** A line with its marks. One that leaves the chart ends as an arrow at its top: it goes on, and is no plateau. */
  drawLine(number, line) {
    const points = line.map(([n, down]) => [this.x(n), this.y(ninesOf(down))]);
    const top = this.y(MOST_NINES);
    const out = points.findIndex(([, y]) => y < top - 1e-6);
    const inside = out < 0 ? points : points.slice(0, out);
    const style = `halab-calculator-line-${number}`;
    const path = (all) => all.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
    const drawn = [
      svg("path", {
        d: inside.map(([x, y]) => MARKS[number](x, y)).join(""),
        class: `halab-calculator-mark ${style}`,
      }),
    ];
    let ends = inside;
    if (out > 0) {
      const [[x0, y0], [x1, y1]] = [points[out - 1], points[out]];
      const x = Number.isFinite(y1) ? x0 + ((x1 - x0) * (y0 - top)) / (y0 - y1) : x0;
      const tip = [x, top - 8];
      ends = [...inside, tip];
      drawn.push(
        svg("path", {
          d: `M${x - 6} ${top + 1}L${tip[0]} ${tip[1]}L${x + 6} ${top + 1}`,
          class: `halab-calculator-line ${style}`,
        }),
      );
    }
    drawn.unshift(
      svg("path", {
        d: path(ends),
        class: `halab-calculator-line ${style}`,
        "stroke-dasharray": DASHES[number],
      }),
    );
    return drawn;
  }

  /** Where the sliders stand, large, with its value: on the line that counts every cost there is. */
  drawHere(picture, box, number) {
    const { copies } = this.s;
    const down = this.figures.all;
    const [x, y] = [this.x(copies), this.y(Math.min(MOST_NINES, ninesOf(down)))];
    const plate = svg("rect", { rx: 4, class: "halab-calculator-plate" });
    const value = svg("text", { class: "halab-calculator-value" });
    value.textContent = `${this.percent(1 - down)} · ${this.downText(down)}`;
    const mark = svg("path", {
      d: MARKS[number](x, y, 9),
      class: `halab-calculator-here halab-calculator-line-${number}`,
    });
    picture.append(mark, plate, value);
    // Below the mark, where no line passes, and no further right than the chart goes.
    const room = value.getComputedTextLength();
    const least = Math.min(box.left + 6, this.width - room - 8);
    value.setAttribute("x", Math.max(least, Math.min(x + 16, box.right - room - 6)));
    value.setAttribute("y", y + 34 < box.bottom ? y + 30 : y - 18);
    const { x: left, y: top, width, height } = value.getBBox();
    for (const [name, at] of Object.entries({
      x: left - 5,
      y: top - 2,
      width: width + 10,
      height: height + 4,
    }))
      plate.setAttribute(name, at);
  }

  drawLegend(numbers) {
    const w = this.words;
    const picture = (width, ...drawn) => svg("svg", { width, height: 16, "aria-hidden": "true" }, ...drawn);
    this.legend.replaceChildren(
      ...numbers.map((number) => {
        const style = `halab-calculator-line-${number}`;
        return element(
          "span",
          {},
          picture(
            34,
            svg("path", {
              d: "M0 8h34",
              class: `halab-calculator-line ${style}`,
              "stroke-dasharray": DASHES[number],
            }),
            svg("path", { d: MARKS[number](17, 8), class: `halab-calculator-mark ${style}` }),
          ),
          w.lines[number],
        );
      }),
      element(
        "span",
        {},
        picture(18, svg("path", { d: "M1 8h16m-8 -8v16", class: "halab-calculator-card" })),
        w.card,
      ),
    );
  }

  drawFormula() {
    const w = this.words;
    const { s, figures } = this;
    const one = 1 - figures.one;
    const digits = Math.min(12, Math.max(4, Math.ceil(ninesOf(figures.one)) + 2));
    const short = String(Number(one.toPrecision(digits)));
    const rows = [
      [
        "A₁",
        "MTBF / (MTBF + MTTR)",
        `${this.time(s.mtbf)} / (${this.time(s.mtbf)} + ${this.time(s.mttr)})`,
        figures.one,
      ],
      ["A", "1 − (1 − A₁)ⁿ", `1 − (1 − ${short})^${s.copies}`, figures.independent],
    ];
    const symbols = ["A", "n"];
    if (s.beta > 0) {
      const [c, i] = shares(figures.one, s.beta);
      rows.push([
        "A′",
        "(1 − c) · (1 − iⁿ)",
        `(1 − ${plain(c)}) · (1 − ${plain(i)}^${s.copies})`,
        figures.common,
      ]);
      symbols.push("c", "i");
    }
    if (s.failover > 0 && s.copies > 1) {
      const filled = `${this.percent(1 - figures.common)} / (1 + ${this.time(s.failover)} / ${this.time(s.mtbf)})`;
      rows.push(["A″", `${s.beta > 0 ? "A′" : "A"} / (1 + T / MTBF)`, filled, figures.all]);
      symbols.push("T");
    }
    this.formula.replaceChildren(
      ...rows.map((row, at) => this.formulaRow(row, at === rows.length - 1)),
      element("p", { class: "halab-quiet" }, symbols.map((each) => w.symbols[each]).join(" · ")),
    );
  }

  formulaRow([name, general, filled, down], last) {
    return element(
      "p",
      { class: last ? "halab-calculator-last" : "" },
      element("span", { class: "halab-calculator-general" }, `${name} = ${general}`),
      element("span", {}, `= ${filled}`),
      element("span", {}, element("b", {}, `= ${this.percent(1 - down)}`), `  ${this.downText(down)}`),
    );
  }
}

// ---- A chain of parts ---------------------------------------------------------------------------------------------

class ChainOfParts extends Calculator {
  build() {
    const w = this.words;
    this.deployment = element("table", { class: "halab-calculator-blocks" });
    this.simulation = element("div", { class: "halab-calculator-simulated", "aria-live": "polite" });
    this.progress = element("div", { class: "halab-calculator-strip" });
    const presets = Object.entries(this.model.get("presets")).map(([name, blocks]) =>
      element(
        "button",
        { type: "button", onclick: () => this.change({ blocks: structuredClone(blocks) }) },
        w.presets[name] ?? name,
      ),
    );
    const again = element("button", { type: "button", onclick: () => this.simulateAgain() }, w.again);
    return this.columns(
      [
        ...this.times("mtbf", "mttr", "beta", "failover"),
        element("strong", { class: "halab-calculator-heading" }, w.simulation),
        this.simulation,
        again,
      ],
      [
        element("div", { class: "halab-calculator-row" }, ...presets),
        element("div", { class: "halab-scroll" }, this.deployment),
        this.problemLine(),
      ],
    );
  }

  watched() {
    return { simulated: () => this.drawSimulation(), share: () => this.drawProgress() };
  }

  destroy() {
    clearTimeout(this.progressTimer);
    super.destroy();
  }

  drawResults() {
    this.figures = computeChain(this.s);
    const names = JSON.stringify(this.s.blocks.map((each) => each.name));
    if (names !== this.drawnNames) this.blockRows();
    this.drawnNames = names;
    this.drawBlocks();
    this.drawSimulation();
  }

  blockRows() {
    const w = this.words;
    this.cells = this.s.blocks.map((each, index) => {
      const label = w.blocks[each.name] ?? each.name;
      const size = (key, what) => {
        const input = element("input", {
          type: "text",
          inputmode: "numeric",
          "aria-label": `${label}: ${what}`,
        });
        input.addEventListener("input", () => this.resizeBlock(index, key, what, input));
        return input;
      };
      const cells = {
        label,
        name: element("th", { scope: "row" }),
        copies: size("copies", w.head[1]),
        needed: size("needed", w.head[2]),
        availability: element("td"),
        bar: element("span", { class: "halab-calculator-bar" }),
        down: element("span"),
      };
      const track = element("span", { class: "halab-calculator-track" }, cells.bar);
      cells.row = element(
        "tr",
        {},
        cells.name,
        element("td", {}, cells.copies),
        element("td", {}, cells.needed),
        cells.availability,
        element("td", {}, track, cells.down),
      );
      return cells;
    });
    this.total = { availability: element("td"), down: element("td") };
    const foot = element("th", { scope: "row", colspan: 3 }, w.whole);
    this.deployment.replaceChildren(
      element("caption", {}, w.scale),
      headings(w.head),
      element("tbody", {}, ...this.cells.map((each) => each.row)),
      element("tfoot", {}, element("tr", {}, foot, this.total.availability, this.total.down)),
    );
  }

  resizeBlock(index, key, what, input) {
    const value = parseNumber(input.value);
    if (!(Number.isInteger(value) && value >= 1 && value <= 9)) {
      this.complain(input, this.words.noCount(this.cells[index].label, what, input.value));
      return;
    }
    const blocks = structuredClone(this.s.blocks);
    blocks[index][key] = value;
    const { copies, needed } = blocks[index];
    if (needed > copies) blocks[index][key === "copies" ? "needed" : "copies"] = value;
    this.complain(input, "");
    this.change({ blocks });
  }

  drawBlocks() {
    const { blocks, chain } = this.figures;
    const worst = Math.min(...blocks);
    const down = (a) => this.time((1 - a) * YEAR);
    // The bars are on a logarithmic scale: what a block costs, from a millionth of the worst up to the worst.
    blocks.forEach((a, index) => {
      const cells = this.cells[index];
      for (const key of ["copies", "needed"])
        if (document.activeElement !== cells[key]) {
          cells[key].value = this.s.blocks[index][key];
          cells[key].setAttribute("aria-invalid", false);
        }
      const share = a >= 1 ? 0 : Math.max(0.02, 1 + Math.log10((1 - a) / (1 - worst)) / 6);
      cells.bar.style.width = `${Math.round(share * 100)}%`;
      cells.availability.textContent = this.percent(a);
      const weakest = a === worst && worst < Math.max(...blocks);
      cells.down.textContent = down(a);
      cells.name.textContent = weakest ? this.words.weakest(cells.label) : cells.label;
      cells.row.className = weakest ? "halab-calculator-worst" : "";
    });
    this.total.availability.textContent = this.percent(chain);
    this.total.down.textContent = down(chain);
  }

  /** What the kernel simulated for these settings; undefined while it has not yet. */
  simulated() {
    const sent = this.model.get("simulated");
    const same = JSON.stringify(sent.settings) === JSON.stringify(this.s);
    return same && sent.seed === this.model.get("seed") ? sent : undefined;
  }

  simulateAgain() {
    this.model.set("seed", this.model.get("seed") + 1);
    this.model.save_changes();
    this.drawSimulation();
  }

  drawSimulation() {
    const w = this.words;
    const run = this.simulated();
    const time = (share) => this.time(share * YEAR);
    this.simulation.dataset.state = run ? "simulated" : "waiting";
    this.simulation.replaceChildren(
      ...(run
        ? [
            this.strip(run.yearly),
            element("p", {}, this.yearsText(run.yearly)),
            element(
              "p",
              {},
              w.simulated(time(1 - this.figures.chain), time(1 - run.availability), time(2 * run.error)),
            ),
            element("p", { class: "halab-quiet" }, w.simulationNote(run.years)),
          ]
        : [this.progress]),
    );
    this.late = false;
    clearTimeout(this.progressTimer);
    if (!run) this.progressTimer = setTimeout(() => this.drawProgress(true), 1000);
    this.drawProgress();
  }

  /** How far the kernel is; where it says nothing for a second, that it is waited for. */
  drawProgress(late = this.late) {
    this.late = late;
    const share = this.model.get("share");
    const words = this.words;
    this.progress.textContent =
      share > 0 && share < 1
        ? `${words.simulating} … ${Math.round(100 * share)} %`
        : `${late ? words.waiting : words.simulating} …`;
  }

  yearsText(yearly) {
    const sorted = [...yearly].sort((a, b) => a - b);
    const at = (share) => this.time(sorted[Math.round(share * (sorted.length - 1))]);
    const calm = sorted.filter((each) => each === 0).length;
    return this.words.years(at(0), at(0.5), at(1), calm, sorted.length);
  }

  /** Up to a hundred of the chain's years, each a bar as high as its downtime: the mean is not every year. */
  strip(yearly) {
    const shown = yearly.slice(0, 100);
    const most = Math.max(...shown, 1e-9);
    const bars = shown
      .map((each, i) => `M${i * 3 + 1.5} 40v${-Math.max(each > 0 ? 1 : 0, (each / most) * 38)}`)
      .join("");
    return svg(
      "svg",
      {
        class: "halab-calculator-strip",
        viewBox: `0 0 ${shown.length * 3} 42`,
        height: 42,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": this.yearsText(yearly),
      },
      svg("path", { d: bars, class: "halab-calculator-years" }),
      svg("path", { d: `M0 41h${shown.length * 3}`, class: "halab-calculator-grid" }),
    );
  }
}

// ---- What a promise leaves ----------------------------------------------------------------------------------------

class Promised extends Calculator {
  build() {
    const w = this.words;
    this.said = element("div", { class: "halab-calculator-said", "aria-live": "polite" });
    this.table = element("table", { class: "halab-calculator-nines" });
    return this.columns(
      [
        this.slider("slo", w.slo, (slo) => this.percent(slo)),
        ...this.times("failover"),
        this.slider("errors", w.errors, (x) => this.share(x)),
        element(
          "div",
          { class: "halab-calculator-conventions" },
          this.select("year", w.yearOf, ["365", "365.25", "365.2425"], (each) => `${each} ${w.days}`),
          this.select("month", w.monthOf, Object.keys(w.months), (each) => w.months[each]),
        ),
      ],
      [
        this.said,
        element("strong", { class: "halab-calculator-heading" }, w.ninesTable),
        element("div", { class: "halab-scroll" }, this.table),
      ],
    );
  }

  select(key, label, options, show) {
    const select = element(
      "select",
      { name: key, onchange: () => this.change({ [key]: select.value }) },
      ...options.map((each) => element("option", { value: each }, show(each))),
    );
    this.shows.push(() => {
      select.value = this.s[key];
    });
    return element("label", { class: "halab-calculator-field" }, label, select);
  }

  drawResults() {
    this.figures = computePromise(this.s);
    this.drawSaid();
    this.drawNines();
  }

  drawSaid() {
    const w = this.words;
    const { s, figures } = this;
    const alert = figures.burn >= 6 ? "page" : figures.burn >= 1 ? "ticket" : "none";
    const spent =
      figures.gone_in === null
        ? w.calm
        : `${w.burn(plain(figures.burn), this.time(figures.gone_in))} ${w.alerts[alert]}`;
    const pays = figures.failovers === null ? w.free : w.failovers(figures.failovers, this.time(s.failover));
    this.said.replaceChildren(
      element(
        "p",
        { class: "halab-calculator-budget" },
        w.budget(this.percent(s.slo), this.time(figures.budget)),
      ),
      element("p", {}, pays),
      element("p", {}, spent),
    );
  }

  drawNines() {
    const w = this.words;
    const lengths = periods(this.s);
    const rows = [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999].map((a) => {
      const chosen = Math.abs(a - this.s.slo) < 1e-12;
      return element(
        "tr",
        { class: chosen ? "halab-calculator-chosen" : "" },
        element("th", { scope: "row" }, (chosen ? "▸ " : "") + this.percent(a)),
        ...Object.values(lengths).map((each) => element("td", {}, this.time((1 - a) * each))),
      );
    });
    const month = Number((lengths.month / DAY).toPrecision(6));
    this.table.replaceChildren(
      element("caption", {}, w.calendar(this.s.year, month)),
      headings(["", ...Object.keys(lengths).map((each) => w.period[each])]),
      element("tbody", {}, ...rows),
    );
  }
}

const PARTS = { copies: Copies, chain: ChainOfParts, promise: Promised };

export default {
  render: (view) => frontEnd(PARTS[view.model.get("part")]).render(view),
};
