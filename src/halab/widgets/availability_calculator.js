// The availability calculator: sliders, formulas with the numbers in them, a chart, a chain, a budget, and beside them
// a Monte Carlo simulation. The formulas are worked out in the browser, so no slider waits for the kernel; the kernel
// simulates once the hand rests. An anywidget front-end module. While nothing changes there is no timer.

import { element, frontEnd, headings, panel, slider, svg, watch } from "./shared.js";

// ---- Closed form: the mirror of halab.models.availability*. A browser test checks that both agree. ------------

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const YEAR = 365 * DAY;
const DUST = 1e-9;
const MOST = 10000;

/** Seconds in a day, a week, a month and a year. */
export function periods(s) {
  const year = Number(s.year) * DAY;
  return { day: DAY, week: 7 * DAY, month: s.month === "30 days" ? 30 * DAY : year / 12, year };
}

export const nines = (a) => (a >= 1 ? Infinity : Math.abs(Math.log10(1 - a)));

function choose(n, k) {
  let ways = 1;
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i;
  return Math.round(ways);
}

export function kOfN(k, n, up) {
  const down = 1 - up;
  let lost = 0;
  for (let i = k - 1; i >= 0; i--) lost += choose(n, i) * up ** i * down ** (n - i);
  return Math.max(0, 1 - lost);
}

function shares(a, beta) {
  const down = 1 - a;
  const together = beta * down;
  return [together, together === 1 ? 0 : (down - together) / (1 - together)];
}

export function commonCause(k, n, a, beta) {
  const [together, alone] = shares(a, beta);
  return (1 - together) * kOfN(k, n, 1 - alone);
}

export function copiesNeeded(a, target, beta) {
  const [together, alone] = shares(a, beta);
  if (target === 1) return a === 1 ? 1 : null;
  const allowed = (1 - target) * (1 + DUST) + Number.EPSILON / 2;
  for (let n = 1; n <= MOST; n++) {
    const left = alone ** n;
    if (together + (1 - together) * left <= allowed) return n;
    if (left === 0 || alone === 1) return null;
  }
  return null;
}

const steady = (mtbf, mttr) => mtbf / (mtbf + mttr);
const switching = (s, n, k) => (n === k ? 1 : 1 / (1 + (k * s.failover) / s.mtbf));

/** The copies of one block with these sliders: instant switching or not. */
function block(s, n, k) {
  return commonCause(k, n, steady(s.mtbf, s.mttr), s.beta) * switching(s, n, k);
}

/** Every figure the calculator shows. Python's `closed_form` gives the same. */
export function compute(s) {
  const one = steady(s.mtbf, s.mttr);
  const blocks = s.blocks.map((each) => block(s, each.copies, each.needed));
  const chain = blocks.reduce((product, each) => product * each, 1);
  const { month } = periods(s);
  const burn = s.errors / (1 - s.slo);
  const budget = (1 - s.slo) * month;
  return {
    one,
    independent: kOfN(s.needed, s.copies, one),
    common: commonCause(s.needed, s.copies, one, s.beta),
    switching: switching(s, s.copies, s.needed),
    group: block(s, s.copies, s.needed),
    blocks,
    chain,
    copies_needed: copiesNeeded(one, s.slo, s.beta),
    budget,
    failovers: s.failover === 0 ? null : Math.floor((budget / s.failover) * (1 + DUST)),
    burn,
    gone_in: burn === 0 ? null : month / burn,
  };
}

// ---- Words ------------------------------------------------------------------------------------------------------

const WORDS = {
  en: {
    title: "Availability calculator",
    one: "One copy",
    copies: "Copies of it",
    chain: "A Milvus deployment",
    promise: "A promise",
    convention: "Convention",
    yearOf: "A year has",
    monthOf: "A month has",
    days: "days",
    months: { "30 days": "30 days", "a twelfth of the year": "a twelfth of the year" },
    mtbf: "Runs for, on average (MTBF)",
    mttr: "Is repaired in, on average (MTTR)",
    availability: "Availability, %",
    downtime: "Downtime, minutes a",
    number: "Copies",
    needed: "of which must work",
    beta: "Common cause: share of downtime that strikes all",
    failover: "A failover takes",
    slo: "Objective (SLO)",
    errors: "Bad requests now",
    period: { day: "day", week: "week", month: "month", year: "year" },
    per: (period) => `a ${period}`,
    down: (period) => `down a ${period}`,
    downFor: (time, period) => `${time} a ${period}`,
    lines: ["independent, instant: the card", "with common causes", "and with failovers"],
    copiesAxis: "copies",
    chartTitle: "What another copy buys",
    objective: "objective",
    formula: "With the numbers in it",
    blocks: {},
    head: ["block", "copies", "needed", "availability"],
    scale: "Every part has the times above. Bars: downtime on a logarithmic scale.",
    weakest: (name) => `${name}, weakest`,
    whole: "the chain",
    presets: { small: "One of each", ha: "This course's cluster" },
    simulation: "Closed form and simulation",
    simulationHead: ["", "closed form", "simulated"],
    simulationNote: (years) =>
      `Monte Carlo: ${years} simulated years, each failure drawn by chance; ± is two standard errors.`,
    years: (low, middle, high, calm) =>
      `The chain's years: best ${low}, middle ${middle}, worst ${high}. ${calm} of 100 had no outage.`,
    simulating: "simulating",
    waiting: "waiting for the kernel",
    again: "Simulate again",
    unseen: "none seen",
    ninesTable: "The nines",
    calendar: (year, month) => `A year of ${year} days, a month of ${month} days`,
    budget: (slo, time) => `${slo} leaves ${time} a month: the error budget.`,
    failovers: (count, time) =>
      `It pays for ${count} failover${count === "1" ? "" : "s"} of ${time} a month.`,
    free: "Failovers take no time here, so it pays for any number.",
    burn: (rate, time) => `Burn rate ${rate}: the month's budget is gone in ${time}.`,
    calm: "Burn rate 0: nothing is spent.",
    alerts: {
      page: "Wake somebody (SRE workbook: 14.4 over an hour, or 6 over six hours).",
      ticket: "Open a ticket (SRE workbook: 1 over three days).",
      none: "Within the budget: no alert.",
    },
    copiesNeeded: (n, slo) =>
      n === null
        ? `No number of copies reaches ${slo}: too much is common to them all.`
        : `${n} ${n === 1 ? "copy" : "copies"}, any one of which is enough, would reach ${slo} if switching were free.`,
    badAvailability: "An availability lies between 0 and 100 %, both excluded.",
    badDowntime: (most) => `A downtime lies between 0 and ${most} minutes, both excluded.`,
    units: { ms: "ms", s: "s", min: "min", h: "h", d: "days" },
    under: "under 1 ms",
    card: "card",
  },
  zh: {
    title: "可用性计算器",
    one: "一个副本",
    copies: "多个副本",
    chain: "一套 Milvus",
    promise: "一份承诺",
    convention: "约定",
    yearOf: "一年算",
    monthOf: "一个月算",
    days: "天",
    months: { "30 days": "30 天", "a twelfth of the year": "一年的十二分之一" },
    mtbf: "平均能跑多久（MTBF）",
    mttr: "平均多久修好（MTTR）",
    availability: "可用性，%",
    downtime: "停机分钟数，每",
    number: "副本数",
    needed: "至少要有几个正常",
    beta: "共因：同时放倒所有副本的停机占比",
    failover: "一次故障切换",
    slo: "目标（SLO）",
    errors: "眼下的失败请求占比",
    period: { day: "天", week: "周", month: "月", year: "年" },
    per: (period) => `每${period}`,
    down: (period) => `每${period}停机`,
    downFor: (time, period) => `每${period} ${time}`,
    lines: ["各坏各的、瞬间切换：卡片的算法", "算上共因", "再算上切换"],
    copiesAxis: "副本数",
    chartTitle: "多一个副本换来什么",
    objective: "目标",
    formula: "把数字代进去",
    blocks: {
      proxy: "代理",
      "root coordinator": "根协调器",
      "query coordinator": "查询协调器",
      "data coordinator": "数据协调器",
      etcd: "etcd",
      log: "日志",
      "object store": "对象存储",
      "query node": "查询节点",
      "data node": "数据节点",
    },
    head: ["环节", "副本", "至少", "可用性"],
    scale: "每个部件都按上面的时间算。条形是停机时间，对数刻度。",
    weakest: (name) => `${name}（最弱）`,
    whole: "整条链",
    presets: { small: "每种一个", ha: "本课的集群" },
    simulation: "公式与模拟",
    simulationHead: ["", "公式", "模拟"],
    simulationNote: (years) => `蒙特卡洛：模拟 ${years} 年，每次故障都由随机数决定；± 是两倍标准误。`,
    years: (low, middle, high, calm) =>
      `整条链的年景：最好 ${low}，居中 ${middle}，最差 ${high}；每 100 年里有 ${calm} 年没断过。`,
    simulating: "正在模拟",
    waiting: "正在等内核",
    again: "再模拟一次",
    unseen: "没遇到",
    ninesTable: "几个 9 对照表",
    calendar: (year, month) => `一年按 ${year} 天算，一个月按 ${month} 天算`,
    budget: (slo, time) => `${slo} 每月留下 ${time}：这就是错误预算。`,
    failovers: (count, time) => `每次切换 ${time}，一个月够切换 ${count} 次。`,
    free: "这里的切换不花时间，次数不限。",
    burn: (rate, time) => `燃烧率 ${rate}：一个月的预算 ${time}就烧完。`,
    calm: "燃烧率 0：什么也没花。",
    alerts: {
      page: "马上叫人（SRE 手册：一小时内 14.4，或六小时内 6）。",
      ticket: "开工单（SRE 手册：三天内 1）。",
      none: "在预算之内，不用告警。",
    },
    copiesNeeded: (n, slo) =>
      n === null
        ? `多少个副本也到不了 ${slo}：它们共有的故障太多。`
        : `若切换不花时间，${n} 个副本（有一个正常就行）可以达到 ${slo}。`,
    badAvailability: "可用性要大于 0、小于 100 %。",
    badDowntime: (most) => `停机时间要大于 0、小于 ${most} 分钟。`,
    units: { ms: "毫秒", s: "秒", min: "分钟", h: "小时", d: "天" },
    under: "不到 1 毫秒",
    card: "卡片",
  },
};

function plain(value, digits = 3) {
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(digits));
  return rounded >= 1e6 || rounded < 1e-4
    ? rounded.toExponential().replace("e+", "e")
    : rounded.toLocaleString("en", { maximumSignificantDigits: digits });
}

/** A time in the unit that fits it, three digits. */
export function spell(seconds, words = WORDS.en) {
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

/** A percentage with the digits its nines need, never rounded up to 100 %. */
export function percent(a) {
  if (a >= 1) return "100 %";
  const digits = Math.min(10, Math.max(0, Math.ceil(nines(a) - 2 - 1e-6)) + 2);
  const cut = Math.floor(a * 100 * 10 ** digits + 1e-4) / 10 ** digits;
  return `${Number(cut.toFixed(digits))} %`;
}

// ---- Marks ------------------------------------------------------------------------------------------------------

const MARKS = [
  (x, y) => `M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`,
  (x, y) => `M${x - 4} ${y - 4}h8v8h-8z`,
  (x, y) => `M${x} ${y - 5}l5 9h-10z`,
];
const DASHES = ["2 4", "7 4", "none"];

// ---- The widget -------------------------------------------------------------------------------------------------

const SLOS = [0.9, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 0.999999];
const MOST_NINES = 8; // drawn
const MOST_COPIES = 8;
const CARD = [0.99, 0.9999, 0.999999]; // what the card states for one, two and three copies

class Calculator {
  constructor(model, el) {
    this.model = model;
    this.words = WORDS[model.get("lang")];
    this.s = structuredClone(model.get("settings"));
    this.parts = {};
    this.build(el);
    this.unwatch = watch(model, {
      simulated: () => this.drawSimulation(),
      share: () => this.drawProgress(),
      settings: () => {
        const sent = model.get("settings");
        if (JSON.stringify(sent) === JSON.stringify(this.s)) return;
        this.s = structuredClone(sent);
        this.controls();
        this.draw();
      },
    });
    this.resize = new ResizeObserver(() => {
      if (this.chart.clientWidth && this.chart.clientWidth !== this.width) this.drawChart();
    });
    this.resize.observe(this.chart);
    this.controls();
    this.draw();
  }

  destroy() {
    clearTimeout(this.saving);
    clearTimeout(this.progressTimer);
    this.resize.disconnect();
    this.unwatch();
  }

  build(el) {
    const w = this.words;
    const section = (name, heading, ...children) => {
      this.parts[name] = element(
        "section",
        { class: `halab-calculator-${name}`, "aria-label": heading },
        element("h3", {}, heading),
        ...children,
      );
      return this.parts[name];
    };
    this.sides = {
      one: element("div"),
      copies: element("div"),
      promise: element("div"),
      convention: element("div", { class: "halab-calculator-row" }),
    };
    this.chart = element("div", { class: "halab-calculator-chart" });
    this.legend = element("div", { class: "halab-legend" });
    this.formula = element("div", { class: "halab-calculator-formula", "aria-live": "polite" });
    this.said = element("div", { class: "halab-calculator-said", "aria-live": "polite" });
    this.deployment = element("table", { class: "halab-calculator-blocks" });
    this.presets = element("div", { class: "halab-calculator-row" });
    this.table = element("table", { class: "halab-calculator-nines" });
    this.simulation = element("div", { class: "halab-calculator-simulated", "aria-live": "polite" });
    this.progress = element("div", { class: "halab-calculator-strip" });
    const again = element("button", { type: "button", onclick: () => this.simulateAgain() }, w.again);
    this.root = panel(
      this.model,
      el,
      "halab-dense halab-calculator",
      w.title,
      element(
        "div",
        { class: "halab-calculator-columns" },
        element(
          "div",
          { class: "halab-calculator-controls" },
          section("one", w.one, this.sides.one),
          section("copies", w.copies, this.sides.copies),
        ),
        element(
          "div",
          { class: "halab-calculator-results" },
          section("buys", w.chartTitle, this.chart, this.legend),
          section("sum", w.formula, this.formula),
        ),
      ),
      element(
        "div",
        { class: "halab-calculator-columns halab-calculator-lower" },
        section("chain", w.chain, this.presets, element("div", { class: "halab-scroll" }, this.deployment)),
        element(
          "div",
          {},
          section("simulation", w.simulation, this.simulation, again),
          section("promise", w.promise, this.sides.promise, this.said),
        ),
      ),
      section(
        "nines",
        w.ninesTable,
        this.sides.convention,
        element("div", { class: "halab-scroll" }, this.table),
      ),
    );
  }

  // -- controls -----------------------------------------------------------------------------------------------------

  controls() {
    const w = this.words;
    const s = this.s;
    this.outputs = {};
    const log = (low, high) => ({
      from: (x) => Math.exp(x),
      to: Math.log,
      min: Math.log(low),
      max: Math.log(high),
      step: 0.01,
    });
    const times = (seconds) => spell(seconds, w);
    this.problem = element("p", { class: "halab-calculator-problem", role: "alert" });
    this.sides.one.replaceChildren(
      this.slider("mtbf", w.mtbf, log(HOUR, 10 * YEAR), times),
      this.slider("mttr", w.mttr, log(5, 7 * DAY), times),
      element("div", { class: "halab-calculator-fields" }, this.availabilityField(), this.downtimeField()),
      this.problem,
    );
    this.sides.copies.replaceChildren(
      this.slider("copies", w.number, { min: 1, max: MOST_COPIES, step: 1 }, String),
      this.slider("needed", w.needed, { min: 1, max: s.copies, step: 1 }, String),
      this.slider("beta", w.beta, { min: 0, max: 0.5, step: 0.005 }, (share) => `${plain(share * 100)} %`),
      this.slider("failover", w.failover, { min: 0, max: 120, step: 0.5 }, times),
    );
    const at = {
      from: (x) => SLOS[x],
      to: (slo) =>
        Math.max(
          0,
          SLOS.findLastIndex((each) => each <= slo),
        ),
      min: 0,
      max: SLOS.length - 1,
      step: 1,
    };
    const share = {
      from: (x) => (x <= -5 ? 0 : 10 ** x),
      to: (x) => (x === 0 ? -5 : Math.log10(x)),
      min: -5,
      max: 0,
      step: 0.02,
    };
    this.sides.promise.replaceChildren(
      this.slider("slo", w.slo, at, percent),
      this.slider("errors", w.errors, share, (x) => `${plain(x * 100)} %`),
    );
    this.sides.convention.replaceChildren(
      this.select("year", w.yearOf, ["365", "365.25", "365.2425"], (each) => `${each} ${w.days}`),
      this.select("month", w.monthOf, Object.keys(w.months), (each) => w.months[each]),
    );
    this.presets.replaceChildren(
      ...Object.entries(this.model.get("presets")).map(([name, blocks]) =>
        element(
          "button",
          { type: "button", onclick: () => this.change({ blocks: structuredClone(blocks) }, true) },
          w.presets[name] ?? name,
        ),
      ),
    );
    this.blockRows();
  }

  slider(key, label, scale, meaning) {
    const { from = (x) => x, to = (x) => x, ...range } = scale;
    const { root, input, show } = slider(label, { ...range, name: key }, (value) => {
      const change = { [key]: from(value) };
      if (key === "copies" && this.s.needed > change.copies) change.needed = change.copies;
      this.change(change);
      if (key === "copies")
        this.follow("needed", (needed) => {
          needed.max = this.s.copies;
        });
    });
    this.outputs[key] = (first) => {
      first?.(input);
      if (document.activeElement !== input) input.value = to(this.s[key]);
      show(meaning(this.s[key]));
    };
    this.outputs[key]();
    return root;
  }

  follow(key, first) {
    this.outputs[key](first);
  }

  select(key, label, options, show) {
    const select = element(
      "select",
      { name: key, onchange: (event) => this.change({ [key]: event.target.value }) },
      ...options.map((each) =>
        element("option", { value: each, selected: this.s[key] === each }, show(each)),
      ),
    );
    return element("label", {}, `${label} `, select);
  }

  /** One copy by its availability: the repair stays, and the time between failures follows. */
  availabilityField() {
    const input = element("input", { type: "number", name: "availability", step: "any", min: 0, max: 100 });
    input.addEventListener("input", () => {
      const a = Number(input.value) / 100;
      this.adopt(input, a > 0 && a < 1, a, this.words.badAvailability);
    });
    this.outputs.availability = () => {
      if (document.activeElement !== input)
        input.value = parseFloat(percent(steady(this.s.mtbf, this.s.mttr)));
    };
    this.outputs.availability();
    return element("label", {}, this.words.availability, input);
  }

  downtimeField() {
    const w = this.words;
    const input = element("input", { type: "number", name: "downtime", step: "any", min: 0 });
    const select = element(
      "select",
      { name: "period", "aria-label": w.downtime, onchange: () => this.change({ period: select.value }) },
      ...Object.keys(w.period).map((each) =>
        element("option", { value: each, selected: this.s.period === each }, w.period[each]),
      ),
    );
    input.addEventListener("input", () => {
      const most = periods(this.s)[this.s.period] / MINUTE;
      const down = Number(input.value);
      this.adopt(input, down > 0 && down < most, 1 - down / most, w.badDowntime(plain(most)));
    });
    this.outputs.downtime = () => {
      const minutes = ((1 - steady(this.s.mtbf, this.s.mttr)) * periods(this.s)[this.s.period]) / MINUTE;
      if (document.activeElement !== input) input.value = Number(minutes.toPrecision(4));
    };
    this.outputs.downtime();
    return element("label", {}, element("span", {}, `${w.downtime} `, select), input);
  }

  adopt(input, sound, availability, complaint) {
    input.setAttribute("aria-invalid", !sound);
    this.problem.textContent = sound ? "" : complaint;
    if (sound) this.change({ mtbf: (this.s.mttr * availability) / (1 - availability) });
  }

  blockRows() {
    const w = this.words;
    this.cells = this.s.blocks.map((each, index) => {
      const name = w.blocks[each.name] ?? each.name;
      const size = (key, label) => {
        const input = element("input", {
          type: "number",
          min: 1,
          max: 9,
          value: each[key],
          "aria-label": `${name}: ${label}`,
        });
        input.addEventListener("input", () => this.resizeBlock(index, key, input));
        return input;
      };
      const cells = {
        label: name,
        name: element("th", { scope: "row" }),
        copies: size("copies", w.head[1]),
        needed: size("needed", w.head[2]),
        availability: element("td"),
        bar: element("span", { class: "halab-calculator-bar" }),
        down: element("span"),
      };
      const cost = element(
        "td",
        {},
        element("span", { class: "halab-calculator-track" }, cells.bar),
        cells.down,
      );
      cells.row = element(
        "tr",
        {},
        cells.name,
        element("td", {}, cells.copies),
        element("td", {}, cells.needed),
        cells.availability,
        cost,
      );
      return cells;
    });
    this.total = { head: element("th", { scope: "col" }), availability: element("td"), down: element("td") };
    this.deployment.replaceChildren(
      element("caption", {}, w.scale),
      element(
        "thead",
        {},
        element("tr", {}, ...w.head.map((each) => element("th", { scope: "col" }, each)), this.total.head),
      ),
      element("tbody", {}, ...this.cells.map((each) => each.row)),
      element(
        "tfoot",
        {},
        element(
          "tr",
          {},
          element("th", { scope: "row", colspan: 3 }, w.whole),
          this.total.availability,
          this.total.down,
        ),
      ),
    );
  }

  resizeBlock(index, key, input) {
    const value = Number(input.value);
    const sound = Number.isInteger(value) && value >= 1 && value <= 9;
    input.setAttribute("aria-invalid", !sound);
    if (!sound) return;
    const blocks = structuredClone(this.s.blocks);
    blocks[index][key] = value;
    const { copies, needed } = blocks[index];
    if (needed > copies) blocks[index][key === "copies" ? "needed" : "copies"] = value;
    this.cells[index].copies.value = blocks[index].copies;
    this.cells[index].needed.value = blocks[index].needed;
    this.change({ blocks });
  }

  change(change, rebuild = false) {
    this.s = { ...this.s, ...change };
    if (rebuild) this.blockRows();
    this.draw();
    // The kernel is told once the hand rests, so that the settings can be read in the next cell.
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      this.model.set("settings", structuredClone(this.s));
      this.model.save_changes();
    }, 200);
  }

  // -- drawing ------------------------------------------------------------------------------------------------------

  draw() {
    this.figures = compute(this.s);
    for (const show of Object.values(this.outputs)) show();
    this.drawChart();
    this.drawFormula();
    this.drawBlocks();
    this.drawPromise();
    this.drawNines();
    this.drawSimulation();
  }

  downText(a, period = this.s.period) {
    const w = this.words;
    return w.downFor(spell((1 - a) * periods(this.s)[period], w), w.period[period]);
  }

  /** The chart's lines by number: a cost that is 0 has no line of its own, which would hide another. */
  lines() {
    const s = this.s;
    const one = this.figures.one;
    const counts = Array.from({ length: MOST_COPIES }, (_, i) => i + 1).filter((n) => n >= s.needed);
    const lines = [[0, counts.map((n) => [n, kOfN(s.needed, n, one)])]];
    if (s.beta > 0) lines.push([1, counts.map((n) => [n, commonCause(s.needed, n, one, s.beta)])]);
    if (s.failover > 0) lines.push([2, counts.map((n) => [n, block(s, n, s.needed)])]);
    return lines;
  }

  drawChart() {
    const w = this.words;
    this.width = this.chart.clientWidth || 560;
    const box = { left: 84, right: this.width - 96, top: 14, bottom: 226 };
    const lines = this.lines();
    const highest = Math.max(
      3,
      ...lines.flatMap(([, line]) => line.map(([, a]) => Math.min(nines(a), MOST_NINES))),
    );
    const top = Math.min(MOST_NINES, Math.ceil(highest));
    const x = (n) => box.left + ((n - 1) / (MOST_COPIES - 1)) * (box.right - box.left);
    const y = (a) => box.bottom - (Math.min(nines(a), top) / top) * (box.bottom - box.top);
    const drawn = [];
    for (let count = 0; count <= top; count++) {
      const a = 1 - 10 ** -count;
      const at = box.bottom - (count / top) * (box.bottom - box.top);
      drawn.push(
        svg("line", { x1: box.left, x2: box.right, y1: at, y2: at, class: "halab-calculator-grid" }),
        svg("text", { x: box.left - 8, y: at + 4, "text-anchor": "end" }, percent(a)),
        svg(
          "text",
          { x: box.right + 12, y: at + 4, class: "halab-quiet" },
          spell((1 - a) * periods(this.s)[this.s.period], w),
        ),
      );
    }
    for (let n = 1; n <= MOST_COPIES; n++)
      drawn.push(svg("text", { x: x(n), y: box.bottom + 18, "text-anchor": "middle" }, String(n)));
    drawn.push(
      svg(
        "text",
        { x: (box.left + box.right) / 2, y: box.bottom + 34, "text-anchor": "middle", class: "halab-quiet" },
        w.copiesAxis,
      ),
      svg(
        "text",
        { x: box.right + 12, y: box.bottom + 18, class: "halab-quiet" },
        w.down(w.period[this.s.period]),
      ),
      svg("line", {
        x1: x(this.s.copies),
        x2: x(this.s.copies),
        y1: box.top,
        y2: box.bottom,
        class: "halab-calculator-now",
      }),
    );
    if (nines(this.s.slo) <= top) {
      drawn.push(
        svg("line", {
          x1: box.left,
          x2: box.right,
          y1: y(this.s.slo),
          y2: y(this.s.slo),
          class: "halab-calculator-goal",
        }),
      );
    }
    if (this.s.needed === 1)
      drawn.push(
        ...CARD.map((a, i) =>
          svg(
            "path",
            { d: `M${x(i + 1) - 8} ${y(a)}h16m-8 -8v16`, class: "halab-calculator-card" },
            svg("title", {}, `${w.card}: ${percent(a)}`),
          ),
        ),
      );
    lines.forEach(([number, line]) => {
      const inside = line.filter(([, a]) => nines(a) <= top + 1e-9);
      const edge = line[inside.length];
      const path = [...inside, ...(edge ? [edge] : [])]
        .map(([n, a], i) => `${i ? "L" : "M"}${x(n)} ${y(a)}`)
        .join("");
      drawn.push(
        svg("path", {
          d: path,
          class: `halab-calculator-line halab-calculator-line-${number}`,
          "stroke-dasharray": DASHES[number],
        }),
      );
      drawn.push(
        svg("path", {
          d: inside.map(([n, a]) => MARKS[number](x(n), y(a))).join(""),
          class: `halab-calculator-mark halab-calculator-line-${number}`,
        }),
      );
    });
    const said = lines
      .map(([number, line]) => `${w.lines[number]}: ${line.map(([n, a]) => `${n} ${percent(a)}`).join(", ")}`)
      .join("; ");
    this.chart.replaceChildren(
      svg(
        "svg",
        {
          viewBox: `0 0 ${this.width} 268`,
          height: 268,
          role: "img",
          "aria-label": `${w.chartTitle}. ${said}`,
        },
        ...drawn,
      ),
    );
    this.legend.replaceChildren(
      ...lines.map(([number]) =>
        element(
          "span",
          {},
          svg(
            "svg",
            { width: 34, height: 14, "aria-hidden": "true" },
            svg("path", {
              d: "M0 7h34",
              class: `halab-calculator-line halab-calculator-line-${number}`,
              "stroke-dasharray": DASHES[number],
            }),
            svg("path", {
              d: MARKS[number](17, 7),
              class: `halab-calculator-mark halab-calculator-line-${number}`,
            }),
          ),
          w.lines[number],
        ),
      ),
      element(
        "span",
        {},
        svg(
          "svg",
          { width: 18, height: 16, "aria-hidden": "true" },
          svg("path", { d: "M1 8h16m-8 -8v16", class: "halab-calculator-card" }),
        ),
        w.card,
      ),
      element(
        "span",
        {},
        svg(
          "svg",
          { width: 24, height: 14, "aria-hidden": "true" },
          svg("path", { d: "M0 7h24", class: "halab-calculator-goal" }),
        ),
        `${w.objective} ${percent(this.s.slo)}`,
      ),
    );
  }

  drawFormula() {
    const w = this.words;
    const { s, figures } = this;
    const time = (seconds) => spell(seconds, w);
    const digits = Math.min(12, Math.max(4, Math.ceil(nines(figures.one)) + 2));
    const short = (value) => String(Number(value.toPrecision(digits)));
    const rows = [
      ["A₁", "MTBF / (MTBF + MTTR)", `${time(s.mtbf)} / (${time(s.mtbf)} + ${time(s.mttr)})`, figures.one],
      s.needed === 1
        ? ["A", "1 − (1 − A₁)ⁿ", `1 − (1 − ${short(figures.one)})^${s.copies}`, figures.independent]
        : [
            "A",
            "Σ C(n, i) · A₁ⁱ · (1 − A₁)ⁿ⁻ⁱ",
            `Σ C(${s.copies}, i) · ${short(figures.one)}^i · ${plain(1 - figures.one)}^(${s.copies} − i), i = ${s.needed} … ${s.copies}`,
            figures.independent,
          ],
    ];
    if (s.beta > 0) {
      const [c, i] = shares(figures.one, s.beta);
      const group =
        s.needed === 1 ? `(1 − ${plain(i)}^${s.copies})` : `${s.needed}/${s.copies}(1 − ${plain(i)})`;
      rows.push([
        "A′",
        s.needed === 1 ? "(1 − c) · (1 − iⁿ)" : "(1 − c) · k/n(1 − i)",
        `(1 − ${plain(c)}) · ${group}`,
        figures.common,
      ]);
    }
    if (figures.switching < 1)
      rows.push([
        "A″",
        `${s.beta > 0 ? "A′" : "A"} / (1 + k · T / MTBF)`,
        `${percent(figures.common)} / (1 + ${s.needed} · ${time(s.failover)} / ${time(s.mtbf)})`,
        figures.group,
      ]);
    this.formula.replaceChildren(
      ...rows.map(([name, general, filled, value], at) =>
        element(
          "p",
          { class: at === rows.length - 1 ? "halab-calculator-last" : "" },
          element("span", { class: "halab-calculator-general" }, `${name} = ${general}`),
          element("span", { class: "halab-calculator-filled" }, `= ${filled}`),
          element(
            "span",
            { class: "halab-calculator-value" },
            element("b", {}, `= ${percent(value)}`),
            `  ${this.downText(value)}`,
          ),
        ),
      ),
    );
  }

  drawBlocks() {
    const { blocks, chain } = this.figures;
    const worst = Math.min(...blocks);
    const down = (a) => spell((1 - a) * periods(this.s)[this.s.period], this.words);
    // The bars are on a logarithmic scale: what a block costs, from a millionth of the worst up to the worst.
    blocks.forEach((a, index) => {
      const cells = this.cells[index];
      const share = a >= 1 ? 0 : Math.max(0.02, 1 + Math.log10((1 - a) / (1 - worst)) / 6);
      cells.bar.style.width = `${Math.round(share * 100)}%`;
      cells.availability.textContent = percent(a);
      const weakest = a === worst && worst < Math.max(...blocks);
      cells.down.textContent = down(a);
      cells.name.textContent = weakest ? this.words.weakest(cells.label) : cells.label;
      cells.row.className = weakest ? "halab-calculator-worst" : "";
    });
    this.total.availability.textContent = percent(chain);
    this.total.down.textContent = down(chain);
    this.total.head.textContent = this.words.down(this.words.period[this.s.period]);
  }

  drawPromise() {
    const w = this.words;
    const { s, figures } = this;
    const alert = figures.burn >= 6 ? "page" : figures.burn >= 1 ? "ticket" : "none";
    this.said.replaceChildren(
      ...[
        w.copiesNeeded(figures.copies_needed, percent(s.slo)),
        w.budget(percent(s.slo), spell(figures.budget, w)),
        figures.failovers === null
          ? w.free
          : w.failovers(figures.failovers.toLocaleString("en"), spell(s.failover, w)),
        figures.gone_in === null
          ? w.calm
          : `${w.burn(plain(figures.burn), spell(figures.gone_in, w))} ${w.alerts[alert]}`,
      ].map((words) => element("p", {}, words)),
    );
  }

  drawNines() {
    const w = this.words;
    const lengths = periods(this.s);
    const cells = (values, tag, scope) => values.map((each) => element(tag, scope ? { scope } : {}, each));
    const rows = [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999].map((a) =>
      element(
        "tr",
        {},
        ...cells([percent(a)], "th", "row"),
        ...cells(
          Object.values(lengths).map((each) => spell((1 - a) * each, w)),
          "td",
        ),
      ),
    );
    this.table.replaceChildren(
      element("caption", {}, w.calendar(this.s.year, Number((lengths.month / DAY).toPrecision(6)))),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...cells(["", ...Object.keys(lengths).map((each) => w.per(w.period[each]))], "th", "col"),
        ),
      ),
      element("tbody", {}, ...rows),
    );
  }

  // -- simulation ---------------------------------------------------------------------------------------------------

  /** What the kernel simulated for these settings; undefined while it has not yet. */
  simulated() {
    const sent = this.model.get("simulated");
    const same = (key) => JSON.stringify(sent.settings[key]) === JSON.stringify(this.s[key]);
    return sent.seed === this.model.get("seed") && Object.keys(sent.settings).every(same) ? sent : undefined;
  }

  simulateAgain() {
    this.model.set("seed", this.model.get("seed") + 1);
    this.model.save_changes();
    this.drawSimulation();
  }

  drawSimulation() {
    const w = this.words;
    const { s, figures } = this;
    const time = (share) => spell(share * periods(s).year, w);
    const simulated = this.simulated();
    const rows = [
      [`${s.needed} / ${s.copies}`, figures.group, simulated?.group],
      [w.whole, figures.chain, simulated?.chain],
    ].map(([name, a, run]) => {
      const seen = run?.outages ? `${time(1 - run.availability)} ± ${time(2 * run.error)}` : w.unseen;
      return element(
        "tr",
        {},
        element("th", { scope: "row" }, name),
        element("td", {}, this.downText(a, "year")),
        element("td", {}, run ? seen : "…"),
      );
    });
    const note = simulated && `${w.simulationNote(simulated.chain.years)} ${this.yearsText(simulated.chain)}`;
    this.simulation.dataset.state = simulated ? "simulated" : "waiting";
    this.simulation.replaceChildren(
      element("table", {}, headings(w.simulationHead), element("tbody", {}, ...rows)),
      simulated ? this.strip(simulated.chain) : this.progress,
      element("p", { class: "halab-quiet" }, note ?? ""),
    );
    this.late = false;
    clearTimeout(this.progressTimer);
    if (!simulated) this.progressTimer = setTimeout(() => this.drawProgress(true), 1000);
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

  yearsText(life) {
    const sorted = [...life.yearly].sort((a, b) => a - b);
    const at = (share) => spell(sorted[Math.round(share * (sorted.length - 1))], this.words);
    const calm = Math.round((100 * sorted.filter((each) => each === 0).length) / sorted.length);
    return this.words.years(at(0), at(0.5), at(1), calm);
  }

  /** Up to a hundred of the chain's years, each a bar as high as its downtime: the mean is not every year. */
  strip(life) {
    const shown = life.yearly.slice(0, 100);
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
        "aria-label": this.yearsText(life),
      },
      svg("path", { d: bars, class: "halab-calculator-years" }),
      svg("path", { d: `M0 41h${shown.length * 3}`, class: "halab-calculator-grid" }),
    );
  }
}

export default frontEnd(Calculator);
