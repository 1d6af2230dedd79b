// A race through a balancer: four strategies, the same requests. Runs in the browser alone. An anywidget front-end module.

import { element, frontEnd, labelled, panel, slider } from "./shared.js";

// ---- Arithmetic: the mirror of halab.sim.load_balancing. A test compares both, request by request. ------------------

const least = (loads, key) =>
  Object.keys(loads)
    .map(Number)
    .reduce((best, node) => (key(node) < key(best) ? node : best));
const WIDE = 1e6; // more than any number of nodes: orders by load first and by turn second

/** What makes a strategy; each picks a node of `loads`, the unanswered requests by node in service. */
export const STRATEGIES = {
  "round robin": () => {
    let last = -1;
    return (loads) => (last = least(loads, (node) => (node <= last ? WIDE : 0) + node));
  },
  "least connections": () => {
    let last = -1;
    return (loads) =>
      (last = least(loads, (node) => loads[node] * 2 * WIDE + (node <= last ? WIDE : 0) + node));
  },
  random: () => (loads, draws) =>
    Number(Object.keys(loads)[Math.floor(draws[0] * Object.keys(loads).length)]),
  "two choices": () => (loads, draws) => {
    const left = Object.keys(loads).map(Number);
    const [first] = left.splice(Math.floor(draws[0] * left.length), 1);
    const second = left.length ? left[Math.floor(draws[1] * left.length)] : first;
    return loads[second] < loads[first] ? second : first;
  },
};

/** Nodes are {speed, greyAt, grey, leavesAt} (null: never), requests {at, work, draws}. Answers: {at, node, start, end, ok}. */
export function race(nodes, work, pick) {
  const servers = nodes.map((node) => ({
    ...node,
    greyAt: node.greyAt ?? Infinity,
    leavesAt: node.leavesAt ?? Infinity,
    free: 0,
    ends: [],
  }));
  return work.map(({ at, work: amount, draws }) => {
    const loads = {};
    servers.forEach((server, number) => {
      server.ends = server.ends.filter((end) => end > at);
      if (server.leavesAt > at) loads[number] = server.ends.length;
    });
    if (!Object.keys(loads).length) return { at, node: null, start: at, end: at, ok: false };
    const node = pick(loads, draws);
    const server = servers[node];
    const start = Math.max(at, server.free);
    const done = start + (amount / server.speed) * (start >= server.greyAt ? server.grey : 1);
    const end = Math.min(done, server.leavesAt);
    server.free = end;
    server.ends.push(end);
    return { at, node, start, end, ok: done <= server.leavesAt };
  });
}

/** Smallest value that `share` of all do not exceed. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.ceil(share * sorted.length) - 1] : NaN;
}

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

const SPEED = 50; // requests a second
const SECONDS = 20;
const WHEN = 8; // when something happens to the third node

/** The nodes and the requests of what the knobs say. */
export function scenario({ load, third, event, seed }) {
  const last = {
    speed: SPEED * third,
    grey: 10,
    greyAt: event === "grey" ? WHEN : null,
    leavesAt: event === "leaves" ? WHEN : null,
  };
  const draw = generator(seed);
  const wait = () => -Math.log(1 - draw());
  const rate = load * SPEED * (2 + third);
  const work = [];
  for (let at = wait() / rate; at < SECONDS; at += wait() / rate)
    work.push({ at, work: wait(), draws: [draw(), draw()] });
  return { nodes: [{ speed: SPEED }, { speed: SPEED }, last], work };
}

// ---- What is seen -----------------------------------------------------------------------------------------------

const FULL = 40; // requests that fill a bar

const wordsOf = ({ gettext }) => ({
  title: gettext("One balancer, four strategies"),
  go: gettext("Race"),
  again: gettext("Race with other requests"),
  load: gettext("load, of all nodes' speed"),
  third: gettext("speed of node 3, of the others'"),
  event: gettext("node 3, after 8 s"),
  events: {
    none: gettext("nothing happens"),
    grey: gettext("goes grey: a tenth of its speed"),
    leaves: gettext("leaves"),
  },
  names: {
    "round robin": gettext("round robin"),
    "least connections": gettext("least connections"),
    random: gettext("random"),
    "two choices": gettext("two choices"),
  },
  node: gettext("node"),
  queue: gettext("unanswered requests"),
  gone: gettext("gone"),
  grey: gettext("grey"),
  figures: {
    p50: "p50",
    p99: "p99",
    failed: gettext("failed"),
    rate: gettext("answers / s"),
  },
  scale: gettext("A full bar is {count} requests; » stands for more.", { count: FULL }),
  over: (time) => gettext("over {time}", { time }),
  ready: gettext("Press Race."),
  running: gettext("The race is on: {seconds} s of requests. The result stands here when it is over.", {
    seconds: SECONDS,
  }),
  best: gettext("★ lowest p99"),
  clock: (now) => gettext("{now} s of {all} s", { now: now.toFixed(1), all: SECONDS }),
  said: (parts) => gettext("p99: {parts}.", { parts: parts.join(gettext(", ")) }),
  note: gettext(
    "All four get the same requests, with the same work. Bars: requests at a node, waiting or in work. p50 and p99: half and 99 of 100 requests waited no longer; those still without an answer at the end count with their wait so far. Made up: what it shows is the shape, not Milvus' speed.",
  ),
});

const PACE = 2.5; // seconds of the race for one of watching

const ms = (seconds) =>
  Number.isNaN(seconds) ? "–" : `${Math.round(seconds * 1000).toLocaleString("en")} ms`;

/** What one strategy shows at `now`: the share's wait (seconds) and whether it is longer still, the rate, the failed. */
export function standing(answers, now) {
  const come = answers.filter((one) => one.at <= now);
  const failed = come.filter((one) => !one.ok && one.end <= now);
  const waits = (until) =>
    come.filter((one) => one.ok || one.end > now).map((one) => Math.min(one.end, until) - one.at);
  const wait = (share) => {
    const [sofar, whole] = [now, Infinity].map((until) => percentile(waits(until), share));
    return { seconds: sofar, over: whole > 1.05 * sofar }; // less than that, a few still under way do
  };
  const good = come.filter((one) => one.ok && one.end <= now).length;
  return { p50: wait(0.5), p99: wait(0.99), rate: now ? good / now : NaN, failed: failed.length };
}

class BalancerRace {
  constructor(model, el, speech) {
    this.model = model;
    this.words = wordsOf(speech);
    this.s = Object.fromEntries(["load", "third", "event", "seed"].map((name) => [name, model.get(name)]));
    this.root = panel(model, el, "halab-dense halab-balancer", this.words.title);
    this.build();
    this.prepare();
  }

  build() {
    const w = this.words;
    this.clock = element("span", { class: "halab-balancer-clock" });
    this.said = element("p", { class: "halab-balancer-said", role: "status" });
    this.choice = element(
      "select",
      { name: "event", onchange: () => this.set("event", this.choice.value) },
      ...Object.entries(w.events).map(([value, text]) =>
        element("option", { value, selected: value === this.s.event }, text),
      ),
    );
    this.lanes = Object.fromEntries(Object.keys(STRATEGIES).map((name) => [name, this.lane(name)]));
    this.root.append(
      element(
        "div",
        { class: "halab-knobs" },
        this.slider("load", 10, 95),
        this.slider("third", 10, 100),
        labelled("halab-slider", w.event, this.choice),
      ),
      element(
        "div",
        { class: "halab-top" },
        element(
          "button",
          { type: "button", class: "halab-main halab-balancer-go", onclick: () => this.run() },
          w.go,
        ),
        element(
          "button",
          {
            type: "button",
            class: "halab-balancer-again",
            onclick: () => {
              this.set("seed", this.s.seed + 1);
              this.run();
            },
          },
          w.again,
        ),
        this.clock,
      ),
      element(
        "div",
        { class: "halab-balancer-lanes" },
        ...Object.values(this.lanes).map((lane) => lane.root),
      ),
      this.said,
      element("p", { class: "halab-note" }, w.scale, " ", w.note),
    );
  }

  slider(name, min, max) {
    const shown = () => `${Math.round(this.s[name] * 100)} %`;
    const { root, show } = slider(
      this.words[name],
      { name, min, max, step: 5, value: Math.round(this.s[name] * 100) },
      (percent) => {
        this.set(name, percent / 100);
        show(shown());
      },
    );
    show(shown());
    return root;
  }

  lane(name) {
    const w = this.words;
    const bars = [0, 1, 2].map((number) => {
      const fill = element("i", { class: `halab-balancer-fill halab-balancer-node${number + 1}` });
      const more = element(
        "span",
        { class: "halab-balancer-more", hidden: true, "aria-hidden": "true" },
        "»",
      );
      const count = element("b", {}, "0");
      return {
        fill,
        more,
        count,
        root: element(
          "div",
          { class: "halab-balancer-row" },
          element("span", {}, `${w.node} ${number + 1}`),
          element("span", { class: "halab-balancer-bar" }, fill, more),
          count,
        ),
      };
    });
    const figures = Object.fromEntries(Object.keys(w.figures).map((key) => [key, element("dd", {}, "–")]));
    const list = element(
      "dl",
      {},
      ...Object.entries(figures).map(([key, value]) =>
        element("div", { class: `halab-balancer-${key}` }, element("dt", {}, w.figures[key]), value),
      ),
    );
    const best = element("span", { class: "halab-balancer-best", hidden: true }, w.best);
    return {
      bars,
      figures,
      best,
      root: element(
        "section",
        { class: "halab-balancer-lane", "aria-label": w.names[name] },
        element("h4", {}, w.names[name], best),
        ...bars.map((bar) => bar.root),
        list,
      ),
    };
  }

  set(name, value) {
    this.s[name] = value;
    this.model.set(name, value);
    this.model.save_changes();
    this.prepare();
  }

  /** Run all four races at once; what remains is to show them. */
  prepare() {
    cancelAnimationFrame(this.frame);
    const { nodes, work } = scenario(this.s);
    this.nodes = nodes;
    this.raced = Object.fromEntries(
      Object.entries(STRATEGIES).map(([name, make]) => [name, race(nodes, work, make())]),
    );
    this.show(0, false);
    this.said.textContent = this.words.ready;
  }

  run() {
    cancelAnimationFrame(this.frame);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.show(SECONDS, true);
      return;
    }
    this.said.textContent = this.words.running;
    const began = performance.now();
    const step = () => {
      const now = ((performance.now() - began) / 1000) * PACE;
      const over = now >= SECONDS;
      this.show(over ? SECONDS : now, over);
      if (!over) this.frame = requestAnimationFrame(step);
    };
    step();
  }

  show(now, over) {
    const w = this.words;
    this.clock.textContent = w.clock(now);
    const all = Object.entries(this.raced).map(([name, answers]) => {
      this.showBars(this.lanes[name].bars, answers, now);
      return [name, standing(answers, now)];
    });
    const lowest = Math.min(...all.map(([, one]) => one.p99.seconds));
    for (const [name, one] of all) {
      const { figures, best } = this.lanes[name];
      for (const share of ["p50", "p99"]) figures[share].textContent = this.wait(one[share]);
      figures.rate.textContent = Number.isNaN(one.rate) ? "–" : one.rate.toFixed(0);
      figures.failed.textContent = String(one.failed);
      best.hidden = !(over && one.p99.seconds === lowest);
    }
    if (over)
      this.said.textContent = w.said(all.map(([name, { p99 }]) => `${w.names[name]} ${this.wait(p99)}`));
  }

  wait({ seconds, over }) {
    return over ? this.words.over(ms(seconds)) : ms(seconds);
  }

  showBars(bars, answers, now) {
    const w = this.words;
    const loads = [0, 0, 0];
    for (const one of answers) if (one.at <= now && one.end > now && one.node !== null) loads[one.node] += 1;
    bars.forEach((bar, number) => {
      const gone = (this.nodes[number].leavesAt ?? Infinity) <= now;
      const grey = (this.nodes[number].greyAt ?? Infinity) <= now;
      bar.fill.style.width = `${Math.min(100, (loads[number] / FULL) * 100)}%`;
      bar.more.hidden = loads[number] <= FULL;
      bar.count.textContent = gone ? w.gone : grey ? `${loads[number]} ${w.grey}` : String(loads[number]);
      bar.root.classList.toggle("halab-balancer-ill", gone || grey);
    });
  }

  destroy() {
    cancelAnimationFrame(this.frame);
  }
}

export default frontEnd(BalancerRace);
