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

const WORDS = {
  en: {
    title: "One balancer, four strategies",
    go: "Race",
    again: "Race with other requests",
    load: "load, of all nodes' speed",
    third: "speed of node 3, of the others'",
    event: "node 3, after 8 s",
    events: { none: "nothing happens", grey: "goes grey: a tenth of its speed", leaves: "leaves" },
    names: {
      "round robin": "round robin",
      "least connections": "least connections",
      random: "random",
      "two choices": "two choices",
    },
    node: "node",
    queue: "unanswered requests",
    gone: "gone",
    grey: "grey",
    figures: { p50: "p50", p99: "p99", failed: "failed", rate: "answers / s" },
    scale: `A full bar is ${FULL} requests; » stands for more.`,
    over: "over ",
    ready: "Press Race.",
    running: `The race is on: ${SECONDS} s of requests. The result stands here when it is over.`,
    best: "★ lowest p99",
    clock: (t) => `${t.toFixed(1)} s of ${SECONDS} s`,
    said: (parts) => `p99: ${parts.join(", ")}.`,
    note: "All four get the same requests, with the same work. Bars: requests at a node, waiting or in work. p50 and p99: half and 99 of 100 requests waited no longer; those still without an answer at the end count with their wait so far. Made up: what it shows is the shape, not Milvus' speed.",
  },
  zh: {
    title: "一个均衡器，四种策略",
    go: "开始",
    again: "换一批请求再来",
    load: "负载（占全部节点能力）",
    third: "节点 3 的速度（与别的节点相比）",
    event: "8 秒后，节点 3",
    events: { none: "一切照常", grey: "变慢：只剩十分之一", leaves: "离开" },
    names: {
      "round robin": "轮询",
      "least connections": "最少连接",
      random: "随机",
      "two choices": "二选一",
    },
    node: "节点",
    queue: "还没答复的请求",
    gone: "已离开",
    grey: "变慢",
    figures: { p50: "p50", p99: "p99", failed: "失败", rate: "每秒答复" },
    scale: `条形占满是 ${FULL} 个请求，» 表示还要多。`,
    over: "超过 ",
    ready: "按“开始”。",
    running: `正在比：${SECONDS} 秒的请求，跑完后结果在这里。`,
    best: "★ p99 最低",
    clock: (t) => `${t.toFixed(1)} 秒 / ${SECONDS} 秒`,
    said: (parts) => `p99：${parts.join("，")}。`,
    note: "四种策略拿到的请求一模一样，比得公平。条形是节点上的请求，等着的和正在处理的都算。p50、p99：一半、百分之九十九的请求等待不超过这个时间；结束时还没答复的，按已经等了多久算。数字是编的，要看的是形状，不是 Milvus 的速度。",
  },
};

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
  constructor(model, el) {
    this.model = model;
    this.words = WORDS[model.get("lang")];
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
    return (over ? this.words.over : "") + ms(seconds);
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
