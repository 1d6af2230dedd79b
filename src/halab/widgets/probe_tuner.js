// The probe tuner: two probes to set, their detection ranges, false restarts, restart storms and the YAML.
// Runs in the browser alone. An anywidget front-end module. Nothing moves by itself, so there is no timer.

import { element, frontEnd, Picture, redraw, slider, svg } from "./shared.js";

// ---- Arithmetic: the mirror of halab.models.health_probes and of probe_tuner.py. A test compares both. --------------------------

const YEAR = 365 * 86400;

/** Least, mean and most seconds from a fault to the verdict: infinite where there never is one. */
export function detection(p, fault, asks = "httpGet") {
  if (fault === "hang" && asks === "tcpSocket") return [Infinity, Infinity, Infinity];
  const least =
    fault === "crash"
      ? (p.failures - 1) * p.period
      : (p.failures - 1) * Math.max(p.period, p.timeout) + p.timeout;
  return [least, least + p.period / 2, least + p.period];
}

export const lateShare = (busy, pause, timeout) => busy * Math.exp(-timeout / pause);

/** Restarts a year of a healthy process, if the share `late` of its answers misses the timeout. */
export function falseRestarts(p, late) {
  let sum = 0;
  for (let power = 0; power < p.failures; power += 1) sum += late ** power;
  return ((YEAR / p.period) * late ** p.failures) / sum;
}

/** Restarts, and the share of time down, of a process restarted `live` seconds after each start. */
export function storm(live, seconds) {
  let [at, down, restarts, wait] = [live, 0, 0, 0];
  while (at < seconds) {
    restarts += 1;
    if (live >= 600) wait = 0;
    const now = Math.min(wait, seconds - at);
    at += now + live;
    down += now;
    wait = wait === 0 ? 10 : Math.min(2 * wait, 300);
  }
  return [restarts, down / seconds];
}

export function yaml(probes, asks = "httpGet") {
  return ["liveness", "readiness"]
    .map((name) => {
      const p = probes[name];
      const how = name === "liveness" && asks === "tcpSocket" ? "tcpSocket:" : "httpGet:\n    path: /healthz";
      return `${name}Probe:\n  ${how}\n    port: 9091\n  initialDelaySeconds: ${p.delay}\n  periodSeconds: ${p.period}\n  timeoutSeconds: ${p.timeout}\n  failureThreshold: ${p.failures}\n`;
    })
    .join("");
}

// ---- Words ------------------------------------------------------------------------------------------------------

const wordsOf = ({ gettext, pgettext }) => ({
  title: gettext("Probe tuner"),
  liveness: gettext("Liveness: restarts"),
  readiness: gettext("Readiness: takes out of service"),
  knobs: {
    period: "periodSeconds",
    timeout: "timeoutSeconds",
    failures: "failureThreshold",
    delay: "initialDelaySeconds",
  },
  presets: [gettext("The card's settings"), gettext("The card's faster ones"), gettext("Milvus' chart")],
  asks: gettext("The liveness probe asks by"),
  s: gettext("s"),
  faults: { crash: gettext("crash"), hang: gettext("hang") },
  range: gettext(
    "From a fault to the verdict: least, mean (dot) and most. Diamonds: what the card says, 30 s and 6 s.",
  ),
  say: (name, fault, [least, mean, most]) =>
    Number.isFinite(least)
      ? gettext("{name}, {fault}: {least} to {most} s, {mean} s on average", {
          name,
          fault,
          least,
          most,
          mean,
        })
      : gettext(
          "{name}, {fault}: never. The port takes connections while the process hangs: the kernel does it",
          { name, fault },
        ),
  never: pgettext("verdict", "never"),
  open: gettext(
    "A process that is only busy is not restarted either, since its port stays open. Since chart 4.2.38 this is how Milvus' own liveness probe asks.",
  ),
  short: { liveness: gettext("liveness"), readiness: gettext("readiness") },
  row: (probe, fault) => gettext("{probe}, {fault}", { probe, fault }),
  load: gettext("The process (assumptions)"),
  busy: gettext("answers that meet a pause"),
  pause: gettext("mean pause"),
  wrong: (often) =>
    gettext(
      "A process that is well is restarted {often}, if pauses are independent. They are not: they come in bursts.",
      { often },
    ),
  wrongNever: gettext(
    "A process that is well is practically never restarted, if pauses are independent. They are not: they come in bursts.",
  ),
  often: (n) =>
    n >= 1
      ? gettext("{count} times a year", { count: fmt(n) })
      : gettext("once in {count} years", { count: fmt(1 / n) }),
  storm: (restarts, share) =>
    gettext(
      "If it is so busy that no answer is in time, a restart does not help: {restarts} restarts in an hour, and {share} % of the hour it waits in CrashLoopBackOff.",
      { restarts, share },
    ),
  late: gettext("The timeout is longer than the period: each probe that waits delays the next."),
  yaml: "YAML",
  copy: gettext("Copy"),
  copied: gettext("Copied"),
  selected: gettext("Selected: press Ctrl+C"),
});

/** Two digits are all that an assumption is worth. Above one, so never as 1.6e+4. */
const fmt = (n) => Number(n.toPrecision(2)).toLocaleString("en-US");
const NEVER = 1e-6; // restarts a year: one in a million years
const PRESETS = [
  {
    liveness: { period: 10, timeout: 5, failures: 3, delay: 30 },
    readiness: { period: 5, timeout: 3, failures: 3, delay: 10 },
  },
  {
    liveness: { period: 3, timeout: 3, failures: 2, delay: 30 },
    readiness: { period: 3, timeout: 3, failures: 2, delay: 10 },
  },
  {
    // Chart 5.0.19; since 4.2.38 (February 2025) the liveness of every component is tcpSocket.
    asks: "tcpSocket",
    liveness: { period: 30, timeout: 5, failures: 5, delay: 90 },
    readiness: { period: 10, timeout: 5, failures: 5, delay: 90 },
  },
];
const RANGES = { period: [1, 30], timeout: [1, 30], failures: [1, 10], delay: [0, 120] };

// ---- The widget ---------------------------------------------------------------------------------------------------

class ProbeTuner extends Picture {
  constructor(model, el, speech) {
    super(model, el, "halab-tuner", wordsOf(speech));
    this.probes = structuredClone(model.get("probes"));
    this.asks = model.get("asks");
    this.load = { ...model.get("load") };
    this.inputs = [];
    this.chart = svg("svg", { class: "halab-tuner-chart", role: "img" });
    this.said = element("div", { class: "halab-tuner-said", role: "status" });
    this.pre = element("pre", { class: "halab-tuner-yaml", tabindex: "0" });
    this.copied = element("span", { role: "status" });
    this.start();
  }

  build() {
    const w = this.words;
    const knobs = (name) =>
      element(
        "fieldset",
        {},
        element("legend", {}, w[name]),
        name === "liveness" ? this.choice() : "",
        ...Object.keys(RANGES).map((field) =>
          this.slider(
            `${name}-${field}`,
            this.probes[name],
            field,
            w.knobs[field],
            RANGES[field],
            1,
            field === "failures" ? "" : ` ${w.s}`,
          ),
        ),
      );
    this.root.append(
      element(
        "div",
        { class: "halab-top" },
        ...PRESETS.map((preset, index) =>
          element("button", { type: "button", onclick: () => this.take(preset) }, w.presets[index]),
        ),
      ),
      element("div", { class: "halab-tuner-columns" }, knobs("liveness"), knobs("readiness")),
      this.chart,
      element("p", { class: "halab-note" }, w.range),
      element(
        "fieldset",
        {},
        element("legend", {}, w.load),
        element(
          "div",
          { class: "halab-tuner-columns" },
          this.slider("busy", this.load, "busy", w.busy, [0, 0.2], 0.001, "%"),
          this.slider("pause", this.load, "pause", w.pause, [0.1, 5], 0.1, ` ${w.s}`),
        ),
      ),
      this.said,
      element("h4", {}, w.yaml),
      this.pre,
      element("button", { type: "button", class: "halab-tuner-copy", onclick: () => this.copy() }, w.copy),
      " ",
      this.copied,
    );
  }

  slider(name, of, field, text, [min, max], step, unit) {
    const { root, input, show } = slider(text, { name, min, max, step }, (value) => {
      of[field] = value;
      this.changed();
    });
    this.inputs.push(() => {
      input.value = of[field];
      show(unit === "%" ? `${Number((100 * of[field]).toFixed(1))} %` : `${of[field]}${unit}`);
    });
    return root;
  }

  /** How the liveness probe asks: for the page, or only whether the port takes a connection. */
  choice() {
    const select = element(
      "select",
      {
        onchange: () => {
          this.asks = select.value;
          this.changed();
        },
      },
      element("option", { value: "httpGet" }, "httpGet /healthz"),
      element("option", { value: "tcpSocket" }, "tcpSocket"),
    );
    this.inputs.push(() => {
      select.value = this.asks;
    });
    return element("label", { class: "halab-tuner-asks" }, `${this.words.asks} `, select);
  }

  take(preset) {
    this.asks = preset.asks ?? "httpGet";
    for (const name of ["liveness", "readiness"]) Object.assign(this.probes[name], preset[name]);
    this.changed();
  }

  changed() {
    this.model.set("probes", structuredClone(this.probes));
    this.model.set("asks", this.asks);
    this.model.set("load", { ...this.load });
    this.model.save_changes();
    this.update();
  }

  update() {
    for (const show of this.inputs) show();
    this.drawRanges(this.width);
    this.tell();
    this.pre.textContent = yaml(this.probes, this.asks);
    this.copied.textContent = "";
  }

  drawRanges(width) {
    const { words: w } = this;
    const rows = ["liveness", "readiness"].flatMap((name) =>
      ["crash", "hang"].map((fault) => [
        name,
        fault,
        detection(this.probes[name], fault, name === "liveness" ? this.asks : "httpGet"),
      ]),
    );
    const most = Math.max(36, ...rows.map((row) => row[2][2]).filter(Number.isFinite)) * 1.05;
    const left = 132;
    const x = (t) => left + (t / most) * (width - left - 16);
    const parts = [];
    const step = [5, 10, 20, 50, 100, 200].find((size) => most / size <= Math.max(4, width / 110)) ?? 500;
    for (let t = 0; t <= most; t += step) {
      parts.push(svg("line", { class: "halab-tuner-grid", x1: x(t), x2: x(t), y1: 6, y2: 140 }));
      parts.push(svg("text", { x: x(t), y: 156, "text-anchor": "middle", class: "halab-quiet" }, `${t}`));
    }
    parts.push(svg("text", { x: 0, y: 156, class: "halab-quiet" }, w.s));
    rows.forEach(([name, fault, [a, b, c]], row) => {
      const y = 12 + row * 32;
      parts.push(svg("text", { x: 0, y: y + 15 }, w.row(w.short[name], w.faults[fault])));
      if (Number.isFinite(a)) {
        parts.push(
          svg("rect", {
            class: `halab-tuner-bar halab-tuner-${fault}`,
            x: x(a),
            y,
            width: x(c) - x(a),
            height: 20,
          }),
        );
        parts.push(svg("circle", { class: "halab-tuner-mean", cx: x(b), cy: y + 10, r: 4 }));
      } else parts.push(svg("text", { class: "halab-tuner-never", x: x(0), y: y + 15 }, `→ ∞ ${w.never}`));
      if (row === 0)
        for (const t of [6, 30])
          parts.push(svg("path", { class: "halab-tuner-card", d: `M${x(t)} ${y + 2}l8 8l-8 8l-8 -8z` }));
    });
    redraw(this.chart, width, 162, parts);
    this.figures = rows.map(([name, fault, span]) => w.say(w.short[name], w.faults[fault], span));
    this.chart.setAttribute("aria-label", this.figures.join("; "));
  }

  tell() {
    const { words: w, load } = this;
    const p = this.probes.liveness;
    const wrong = falseRestarts(p, lateShare(load.busy, load.pause, p.timeout));
    const [times, down] = storm(p.delay + detection(p, "hang")[1], 3600);
    const restarts =
      this.asks === "tcpSocket"
        ? [w.open]
        : [wrong < NEVER ? w.wrongNever : w.wrong(w.often(wrong)), w.storm(times, Math.round(100 * down))];
    const lines = [...this.figures, ...restarts];
    if (p.timeout > p.period) lines.push(w.late);
    this.said.replaceChildren(element("ul", {}, ...lines.map((line) => element("li", {}, line))));
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.pre.textContent);
      this.copied.textContent = this.words.copied;
    } catch {
      getSelection().selectAllChildren(this.pre); // no leave to use the clipboard
      this.copied.textContent = this.words.selected;
    }
  }
}

export default frontEnd(ProbeTuner);
