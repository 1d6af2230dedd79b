// The failover timeline: an animation, sliders, and lanes laid over each other on one time axis.
// Runs in the browser alone; the kernel is only asked for the simulated lane. An anywidget front-end module.
// While nothing plays there is no timer and no animation frame.

import {
  element,
  frontEnd,
  laneMarks,
  letters,
  markLegend,
  markPath,
  operationWords,
  ownId,
  panel,
  redraw,
  slider,
  svg,
  WORST_LAST,
  watch,
} from "./shared.js";

// ---- Closed form: the mirror of halab.models.failover. A browser test checks that both agree. ----------------

export const PHASES = ["down", "missed", "detected", "elected", "serving", "back"];
const ETCD_LOOK = 0.5;

function detectorOf(s) {
  if (s.detector === "lease") {
    const interval = s.ttl / 3;
    return { interval, tolerance: s.ttl, look: ETCD_LOOK, missed: (phase) => (1 - phase) * interval };
  }
  return {
    interval: s.interval,
    tolerance: s.misses * s.interval + s.timeout,
    look: 0,
    missed: (phase) => (s.misses - phase) * s.interval,
  };
}

/** The marks of a failover, seconds after the fault. */
export function closedForm(s, phase = s.phase) {
  const d = detectorOf(s);
  let detected = d.tolerance + d.look - phase * (d.interval + d.look);
  if (s.kind === "stop" && s.revokes) detected = 0;
  if (s.kind === "restart") detected = Math.min(detected, s.restart);
  const elected = detected + s.election;
  const serving = elected + s.takeover;
  const found = s.kind === "hang" ? Math.max(serving, s.connection) : serving;
  return {
    down: 0,
    missed: Math.min(d.missed(phase), detected),
    detected,
    elected,
    serving,
    back: found + s.reconnect,
  };
}

/** Waits between the attempts of a client that retries, seconds, each as long as its backoff allows. */
function waits(s) {
  const list = [];
  let total = 0;
  for (let attempt = 1; attempt < s.attempts; attempt++) {
    const wait = Math.min(s.cap, s.base * 2 ** (attempt - 1));
    if (total + wait > s.retry_deadline) break;
    total += wait;
    list.push(wait);
  }
  return list;
}

/** How long a request goes on before it is given up. */
function retrySpan(s) {
  const span = waits(s).reduce((sum, wait) => sum + wait, 0);
  return span + (s.kind === "hang" ? s.deadline : 0);
}

/** Expected requests of an outage that fail for good, and those that are only late. */
export function failedAndLate(s, outage) {
  const late = Math.min(outage, retrySpan(s));
  return { failed: s.rate * (outage - late), late: s.rate * late };
}

/** The requests of the model, one by one, as samples [intended, latency, outcome, operation]. */
function requests(s, marks, from, to) {
  const limit = retrySpan(s);
  const steps = waits(s);
  const list = [];
  for (let k = Math.ceil(from * s.rate); (k + 0.5) / s.rate < to; k++) {
    const at = (k + 0.5) / s.rate;
    if (at < 0 || at >= marks.back) list.push([at, 0, "ok", ""]);
    else if (marks.back - at <= limit) {
      let again = at;
      for (const wait of steps) if (again < marks.back) again += wait;
      list.push([at, Math.max(marks.back, again) - at, "ok", ""]);
    } else list.push([at, limit, s.kind === "hang" ? "unknown" : "fail", ""]);
  }
  return list;
}

// ---- Words ----------------------------------------------------------------------------------------------------

const SEGMENTS = [
  ["unnoticed", "down", "detected"],
  ["choosing", "detected", "elected"],
  ["taking over", "elected", "serving"],
  ["reconnecting", "serving", "back"],
];
const LATE = 0.5; // seconds: an answer that took longer is drawn as late

export const wordsOf = ({ gettext, pgettext }) => ({
  operations: operationWords({ gettext }),
  title: gettext("Failover timeline"),
  presets: {
    "The card's settings": gettext("The card's settings"),
    "This course's cluster": gettext("This course's cluster"),
  },
  seconds: (time) => gettext("{time} s", { time }),
  axis: gettext("Time after the fault, seconds"),
  previous: gettext("Previous step"),
  next: gettext("Next step"),
  play: gettext("Play"),
  pause: gettext("Pause"),
  again: gettext("Play again"),
  speed: gettext("Speed "),
  numbers: gettext("The same in numbers"),
  after: gettext("Seconds after the fault"),
  columns: [
    pgettext("column", "down"),
    gettext("sign missed"),
    gettext("noticed"),
    gettext("chosen"),
    gettext("serving"),
    gettext("clients back"),
    gettext("requests"),
  ],
  segments: {
    unnoticed: gettext("unnoticed"),
    choosing: gettext("choosing"),
    "taking over": gettext("taking over"),
    reconnecting: gettext("reconnecting"),
  },
  legend: {
    ok: gettext("answered"),
    waiting: gettext("on its way"),
    late: gettext("waiting, or answered late"),
    empty: gettext("answered, but nothing found"),
    fail: gettext("failed"),
    unknown: gettext("no answer in time: may have happened"),
  },
  options: {
    crash: gettext("crash"),
    hang: gettext("hang"),
    stop: gettext("stop"),
    restart: gettext("restart"),
    heartbeats: gettext("heartbeats"),
    lease: gettext("lease"),
  },
  fault: gettext("The fault"),
  connection: gettext("A silent connection is trusted for"),
  restarted: gettext("The process is up again after"),
  revokes: gettext("It gives its lease back as it leaves"),
  phase: gettext("How far between two signs of life it falls"),
  noticing: gettext("Noticing it"),
  ttl: gettext("Session TTL"),
  interval: gettext("A beat every"),
  misses: gettext("Beats missed"),
  timeout: gettext("Then waited for"),
  takingOver: gettext("Taking over"),
  election: gettext("Choosing a successor"),
  takeover: gettext("Until it serves"),
  clients: gettext("Clients"),
  reconnect: gettext("Finding the successor"),
  attempts: gettext("Attempts for a request"),
  base: gettext("First wait before a retry"),
  documented: gettext("Today's session TTL is from Milvus' pull requests and source, not measured here: "),
  documentedTtl: (ttl, patches) => gettext("{ttl} s in {patches}", { ttl, patches }),
  listed: gettext("; "),
  documentedEnd: gettext(
    "a planned stop gives the lease back. The other seconds are those of this course's cluster.",
  ),
  badges: {
    card: gettext("card"),
    formula: gettext("formula"),
    simulated: gettext("simulated"),
    measured: gettext("measured"),
  },
  card: gettext("What the card says"),
  yours: gettext("Your settings"),
  simulated: gettext("Simulated, coordinator lost"),
  stale: gettext("waiting for the kernel"),
  zero: gettext("fault"),
  fromTo: (from, to) => gettext("{from} to {to}", { from, to }),
  failed: (count) => gettext("{count} failed", { count }),
  unknown: (count) => gettext("{count} unknown", { count }),
  empty: (count) => gettext("{count} found nothing", { count }),
  late: (count) => gettext("{count} late", { count }),
  answered: (count) => gettext("{count} answered", { count }),
  answeredLate: (count) => gettext("{count} answered late", { count }),
  backAfter: (time) => gettext("back after {time}", { time }),
  operationBack: (operation, time) => gettext("{operation} back after {time}", { operation, time }),
  beforeFault: (time) => gettext("{time} before the fault", { time }),
  afterFault: (time) => gettext("{time} after the fault", { time }),
  outage: (time, rate, count, unknown, late) => {
    const values = { time, rate, count, late };
    if (unknown && late)
      return gettext(
        "The outage took {time}; at {rate} requests a second, {count} got no answer and {late} were late.",
        values,
      );
    if (unknown)
      return gettext("The outage took {time}; at {rate} requests a second, {count} got no answer.", values);
    if (late)
      return gettext(
        "The outage took {time}; at {rate} requests a second, {count} failed and {late} were late.",
        values,
      );
    return gettext("The outage took {time}; at {rate} requests a second, {count} failed.", values);
  },
  scene: (first, second) =>
    gettext("Clients, a watcher and two members: coordinator 1 {first}, coordinator 2 {second}", {
      first,
      second,
    }),
  people: gettext("clients"),
  member: (number) => gettext("coordinator {number}", { number }),
  watcher: gettext("watcher"),
  lost: {
    crash: gettext("✕ crashed"),
    hang: gettext("✕ hangs, silent"),
    stop: gettext("✕ stopped"),
    restart: gettext("✕ restarting"),
  },
  active: gettext("active"),
  standby: gettext("standby"),
  tries: gettext("tries for the key"),
  candidate: gettext("may be chosen"),
  rising: pgettext("member", "taking over"),
  hears: (number) => gettext("hears coordinator {number}", { number }),
  free: gettext("key is free"),
  key: gettext("key: coordinator 1"),
  left: (time) => gettext("lease: {time} left", { time }),
  gone: gettext("member is lost"),
  awaits: gettext("waiting for a beat"),
  missed: (count, of) => gettext("{count} of {of} missed", { count, of }),
  beats: {
    lease: gettext("All is well. The active member renews its lease in etcd, and requests are answered."),
    heartbeats: gettext("All is well. The active member sends its heartbeats, and requests are answered."),
    crash: gettext("The active member crashes. Nobody knows yet."),
    hang: gettext("The active member hangs. Its connections stay open, so requests get no answer."),
    stop: gettext("The active member is told to stop."),
    restart: gettext("The active member is restarted."),
    noRenewal: gettext("A renewal did not come. etcd does nothing until the lease runs out."),
    noBeat: (misses) =>
      gettext("Beat number {misses} did not come. It may only be slow, so the watcher waits.", { misses }),
    early: gettext("The process is up again and ends its own old session: nobody has to wait for silence."),
    revoked: gettext("It gave its lease back as it left: the loss is known at once."),
    ranOut: gettext("The lease has run out. etcd deletes the key, and the standby is told."),
    silent: gettext("The silence has lasted long enough: the member counts as lost."),
    wrote: gettext("The standby puts its own name on the key. Nobody votes: whoever writes first is active."),
    chosen: gettext("A successor is chosen."),
    serving: gettext("The successor serves. The clients still have to find it."),
    back: gettext("The clients are back."),
  },
});

/** What each step of a failover is, in these words. */
function beats(s, words) {
  const lease = s.detector === "lease";
  const early = s.kind === "restart" && closedForm(s).detected === s.restart;
  const detected = early ? "early" : s.kind === "stop" && s.revokes ? "revoked" : lease ? "ranOut" : "silent";
  return {
    before: lease ? words.lease : words.heartbeats,
    down: words[s.kind],
    missed: lease ? words.noRenewal : words.noBeat(s.misses),
    detected: words[detected],
    elected: lease ? words.wrote : words.chosen,
    serving: words.serving,
    back: words.back,
  };
}

const seconds = (value, words) => words.seconds(value.toFixed(1));

// ---- Marks ----------------------------------------------------------------------------------------------------

/** One of the clients. */
function person(y) {
  const head = `M14 ${y}a5 5 0 1 0 0.1 0`;
  const shoulders = `M4 ${y + 21}c0 -12 20 -12 20 0z`;
  return svg("path", { d: head + shoulders, class: "halab-timeline-person" });
}

function kindOf([, latency, outcome]) {
  return outcome === "ok" && latency > LATE ? "late" : outcome;
}

// ---- The widget -----------------------------------------------------------------------------------------------

const START = -2;
const FLIGHT = 0.45; // seconds a request flies in the picture

// Pixels. In the lanes:
const MARGIN = 14; // right of the last second
const SLOT = 8; // what a mark needs for itself
const AXIS = { height: 32, text: 15, tick: 20, line: 26, apart: 34 };
const BAND = { height: 20, below: 4, text: 14, letter: 6.3 };
const ROW = { height: 15, text: 11, mark: 7 };
// In the scene: the clients to the left, the two members one above the other, the watcher to the right.
const NARROW = 700; // a scene of this width has smaller boxes
const SCENE = { height: 178, inset: 12, heading: 22, state: 42, clients: 92 };
const MEMBERS = { height: 56, first: 14, second: 106 };
const WATCHER = { height: 88, top: 44, gauge: 58, note: 78 };
const CLIENT = { x: 34, y: 88, heading: 26, counts: 138, line: 16 };
const PERSON = { top: 46, apart: 26 };
const REQUEST = 5; // half of a request's mark
const DOOR = 10; // how far before a member a request stops
const BACK = 16; // answers fly so far below requests, so that they do not meet
const GIVEN_UP = 40; // how far a request falls that is given up
const QUEUE = { columns: 6, right: 14, across: 13, down: 14 }; // requests that wait at the clients
const STUCK = 12; // between requests that wait at a member that hangs

class Timeline {
  constructor(model, el, speech) {
    this.model = model;
    this.words = wordsOf(speech);
    this.settings = { ...model.get("controls") };
    this.hidden = new Set();
    this.time = START;
    this.speed = 1;
    this.frame = 0;
    this.playing = false;
    this.touched = false;
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.build(el);
    this.listen();
    this.rebuild();
  }

  // -- building ---------------------------------------------------------------------------------------------

  build(el) {
    this.playButton = element("button", {
      type: "button",
      class: "halab-main halab-timeline-play",
      onclick: () => this.toggle(),
    });
    this.clock = element("output", { class: "halab-timeline-clock" });
    this.beat = element("p", { class: "halab-timeline-beat", "aria-live": "polite" });
    this.scene = svg("svg", { class: "halab-timeline-scene", role: "img" });
    this.axis = svg("svg", {
      class: "halab-timeline-axis",
      role: "slider",
      tabindex: "0",
      "aria-label": this.words.axis,
      "aria-valuemin": START,
    });
    this.laneBox = element("div", { class: "halab-timeline-lane-box" });
    this.playhead = element("div", { class: "halab-timeline-playhead" });
    this.veil = element("div", { class: "halab-timeline-veil" });
    this.tracks = element(
      "div",
      { class: "halab-timeline-tracks" },
      this.axis,
      this.laneBox,
      this.veil,
      this.playhead,
    );
    this.numbers = element("div", { class: "halab-scroll halab-timeline-numbers" });
    this.controls = element("div", { class: "halab-timeline-controls" });
    const speed = element(
      "select",
      { onchange: (event) => (this.speed = Number(event.target.value)) },
      ...[0.25, 0.5, 1, 2, 4].map((value) =>
        element("option", { value, selected: value === 1 }, `${value}×`),
      ),
    );
    this.root = panel(
      this.model,
      el,
      "halab-dense halab-timeline",
      this.words.title,
      element(
        "div",
        { class: "halab-top" },
        this.playButton,
        element("button", { type: "button", onclick: () => this.step(-1) }, this.words.previous),
        element("button", { type: "button", onclick: () => this.step(1) }, this.words.next),
        element("label", { class: "halab-timeline-speed" }, this.words.speed, speed),
        this.clock,
      ),
      this.beat,
      this.scene,
      this.tracks,
      this.legend(),
      this.controls,
      element("details", {}, element("summary", {}, this.words.numbers), this.numbers),
    );
    this.buildControls();
  }

  legend() {
    return markLegend(["ok", "waiting", "late", "empty", "fail", "unknown"], this.words.legend);
  }

  listen() {
    this.axis.addEventListener("keydown", (event) => this.key(event));
    const seek = (event) => {
      if (event.buttons !== 1) return;
      this.pause();
      this.seek(this.timeAt(event.clientX));
    };
    this.tracks.addEventListener("pointerdown", (event) => {
      if (!event.target.closest("svg") || event.button !== 0) return;
      this.tracks.setPointerCapture(event.pointerId);
      this.axis.focus({ preventScroll: true });
      event.preventDefault();
      seek(event);
    });
    this.tracks.addEventListener("pointermove", (event) => {
      if (this.tracks.hasPointerCapture(event.pointerId)) seek(event);
    });
    const rebuild = () => this.rebuild();
    const controls = () => {
      const sent = this.model.get("controls");
      if (JSON.stringify(sent) !== JSON.stringify(this.settings)) this.show(sent);
    };
    this.unwatch = watch(this.model, { simulated: rebuild, lanes: rebuild, controls });
    // Called when the width changes, and not otherwise.
    this.resize = new ResizeObserver(() => {
      if (this.tracks.clientWidth && this.tracks.clientWidth !== this.width) this.rebuild();
    });
    this.resize.observe(this.tracks);
  }

  destroy() {
    this.pause();
    clearTimeout(this.saving);
    this.resize.disconnect();
    this.unwatch();
  }

  // -- controls ---------------------------------------------------------------------------------------------

  buildControls() {
    const s = this.settings;
    const words = this.words;
    const lease = s.detector === "lease";
    const presets = Object.entries(this.model.get("presets")).map(([label, controls]) =>
      element(
        "button",
        { type: "button", onclick: () => this.adopt(controls) },
        words.presets[label] ?? label,
      ),
    );
    this.controls.replaceChildren(
      this.group(
        words.fault,
        this.radios("kind", ["crash", "hang", "stop", "restart"]),
        s.kind === "hang" && this.slider("connection", words.connection, 0, 30, 0.5, "s"),
        s.kind === "restart" && this.slider("restart", words.restarted, 0, 10, 0.1, "s"),
        s.kind === "stop" && this.check("revokes", words.revokes),
        this.slider("phase", words.phase, 0, 1, 0.05, "%"),
      ),
      this.group(
        words.noticing,
        this.radios("detector", ["heartbeats", "lease"]),
        lease && this.slider("ttl", words.ttl, 2, 60, 1, "s"),
        !lease && this.slider("interval", words.interval, 0.5, 10, 0.5, "s"),
        !lease && this.slider("misses", words.misses, 1, 10, 1, ""),
        !lease && this.slider("timeout", words.timeout, 0, 10, 0.5, "s"),
      ),
      this.group(
        words.takingOver,
        this.slider("election", words.election, 0, 10, 0.1, "s"),
        this.slider("takeover", words.takeover, 0, 10, 0.1, "s"),
      ),
      this.group(
        words.clients,
        this.slider("reconnect", words.reconnect, 0, 10, 0.1, "s"),
        this.slider("attempts", words.attempts, 1, 10, 1, ""),
        this.slider("base", words.base, 0.1, 2, 0.1, "s"),
      ),
      element("div", { class: "halab-top" }, ...presets),
      element(
        "p",
        { class: "halab-timeline-documented" },
        words.documented,
        ...this.model
          .get("documented")
          .flatMap(({ patches, ttl, source }) => [
            element(
              "a",
              { href: source, target: "_blank", rel: "noopener" },
              words.documentedTtl(ttl, patches),
            ),
            words.listed,
          ]),
        words.documentedEnd,
      ),
    );
  }

  group(title, ...items) {
    return element("fieldset", {}, element("legend", {}, title), ...items.filter(Boolean));
  }

  slider(key, label, min, most, step, unit) {
    const meaning = (value) =>
      unit === "%"
        ? `${Math.round(value * 100)} %`
        : unit === "s"
          ? this.words.seconds(value.toFixed(step < 1 ? 1 : 0))
          : value.toFixed(0);
    const value = this.settings[key];
    const max = Math.max(most, value);
    const { root, show } = slider(label, { name: key, min, max, step, value }, (moved) => {
      show(meaning(moved));
      this.change(key, moved);
    });
    show(meaning(value));
    return root;
  }

  radios(key, options) {
    const name = ownId();
    const choose = (option) => {
      this.change(key, option);
      this.buildControls();
      this.controls.querySelector(`input[value=${option}]`)?.focus();
    };
    return element(
      "div",
      { class: "halab-timeline-radios" },
      ...options.map((option) =>
        element(
          "label",
          {},
          element("input", {
            type: "radio",
            name,
            value: option,
            checked: this.settings[key] === option,
            onchange: () => choose(option),
          }),
          this.words.options[option],
        ),
      ),
    );
  }

  check(key, label) {
    const onchange = (event) => this.change(key, event.target.checked);
    return element(
      "label",
      { class: "halab-timeline-check" },
      element("input", { type: "checkbox", checked: this.settings[key], onchange }),
      label,
    );
  }

  show(controls) {
    this.settings = { ...controls };
    this.buildControls();
    this.rebuild();
  }

  adopt(controls) {
    this.show(controls);
    this.save();
  }

  change(key, value) {
    this.settings = { ...this.settings, [key]: value };
    this.rebuild();
    this.save();
  }

  /** Tell the kernel, once the learner's hand rests: it draws the simulated lane anew. */
  save() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      this.model.set("controls", this.settings);
      this.model.save_changes();
    }, 200);
  }

  // -- lanes ------------------------------------------------------------------------------------------------

  lanes() {
    const simulated = this.model.get("simulated");
    const stale = JSON.stringify(simulated.controls) !== JSON.stringify(this.settings);
    return [
      {
        key: "card",
        badge: "card",
        label: this.words.card,
        phases: this.model.get("card"),
        samples: [],
      },
      {
        key: "yours",
        badge: "formula",
        label: this.words.yours,
        phases: this.marks,
        samples: requests(this.settings, this.marks, START, this.until),
      },
      { ...simulated.lane, label: this.words.simulated, key: "simulated", badge: "simulated", stale },
      ...this.model.get("lanes").map((lane, number) => ({
        ...lane,
        key: `lane-${number}`,
        badge: lane.simulated ? "simulated" : "measured",
      })),
    ];
  }

  /** Everything that depends on settings, lanes or width. The rest only depends on time: see draw(). */
  rebuild() {
    this.width = this.tracks.clientWidth || 860;
    this.gutter = this.width < NARROW ? 92 : 112; // room for the names of operations
    this.marks = closedForm(this.settings);
    const known = [this.model.get("card"), this.model.get("simulated").lane?.phases];
    known.push(...this.model.get("lanes").map((lane) => lane.phases));
    const longest = Math.max(this.marks.back, ...known.map((phases) => phases?.back ?? 0));
    this.until = Math.ceil((longest + 2) / 5) * 5;
    this.flying = requests(this.settings, this.marks, START - FLIGHT, this.until);
    this.time = Math.min(this.time, this.until);
    this.beats = beats(this.settings, this.words.beats);
    this.buildAxis();
    const lanes = this.lanes();
    this.laneBox.replaceChildren(...lanes.map((lane) => this.lane(lane)));
    this.numbers.replaceChildren(this.table(lanes));
    this.buildScene();
    this.shown = "";
    this.draw();
  }

  x(time) {
    return this.gutter + ((time - START) / (this.until - START)) * (this.width - this.gutter - MARGIN);
  }

  timeAt(clientX) {
    const share =
      (clientX - this.axis.getBoundingClientRect().left - this.gutter) / (this.width - this.gutter - MARGIN);
    return START + share * (this.until - START);
  }

  buildAxis() {
    const step =
      [1, 2, 5, 10, 20].find(
        (each) => ((this.width - this.gutter) * each) / (this.until - START) > AXIS.apart,
      ) ?? 50;
    const ticks = [];
    for (let at = Math.ceil(START / step) * step; at <= this.until; at += step) {
      ticks.push(
        svg("line", {
          x1: this.x(at),
          x2: this.x(at),
          y1: AXIS.tick,
          y2: AXIS.line,
          class: "halab-timeline-tick",
        }),
        svg(
          "text",
          { x: this.x(at), y: AXIS.text, "text-anchor": "middle" },
          at === 0 ? this.words.zero : this.words.seconds(at),
        ),
      );
    }
    this.handle = svg("path", { d: "M-7 16h14v6l-7 8l-7 -8z", class: "halab-timeline-handle" });
    this.axis.setAttribute("aria-valuemax", this.until);
    redraw(this.axis, this.width, AXIS.height, [
      svg("line", {
        x1: this.x(START),
        x2: this.x(this.until),
        y1: AXIS.line,
        y2: AXIS.line,
        class: "halab-timeline-tick",
      }),
      ...ticks,
      this.handle,
    ]);
  }

  lane(lane) {
    const box = element("section", {
      class: `halab-timeline-lane halab-timeline-lane-${lane.badge}`,
      "data-lane": lane.key,
    });
    const hidden = this.hidden.has(lane.key);
    const toggle = element("input", {
      type: "checkbox",
      checked: !hidden,
      onchange: (event) => {
        if (event.target.checked) this.hidden.delete(lane.key);
        else this.hidden.add(lane.key);
        this.rebuild();
        this.root.querySelector(`[data-lane="${lane.key}"] input`).focus();
      },
    });
    box.append(
      element(
        "header",
        {},
        element("label", {}, toggle, element("strong", {}, lane.label)),
        element("span", { class: "halab-timeline-badge" }, this.words.badges[lane.badge]),
        element(
          "span",
          { class: "halab-timeline-sum" },
          lane.stale ? this.words.stale : summary(lane, this.words),
        ),
      ),
    );
    if (!hidden && (marked(lane) || lane.samples?.length)) box.append(this.drawing(lane));
    if (lane.stale) box.classList.add("halab-timeline-stale");
    return box;
  }

  drawing(lane) {
    const parts = [];
    let y = 2;
    if (marked(lane)) {
      parts.push(...this.band(lane.phases, y));
      y += BAND.height + BAND.below;
    }
    for (const [operation, samples] of byOperation(lane.samples ?? [])) {
      if (operation)
        parts.push(
          svg("text", { x: 0, y: y + ROW.text }, short(this.words.operations[operation] ?? operation)),
        );
      parts.push(...this.row(samples, y + ROW.mark));
      y += ROW.height;
    }
    for (const phase of PHASES.slice(1)) {
      const at = this.x(this.model.get("card")[phase]);
      if (!this.hidden.has("card"))
        parts.unshift(svg("line", { x1: at, x2: at, y1: 0, y2: y + 2, class: "halab-timeline-guide" }));
    }
    const zero = this.x(0);
    parts.unshift(svg("line", { x1: zero, x2: zero, y1: 0, y2: y + 2, class: "halab-timeline-fault" }));
    return svg(
      "svg",
      {
        viewBox: `0 0 ${this.width} ${y + 2}`,
        height: y + 2,
        role: "img",
        "aria-label": `${lane.label}: ${summary(lane, this.words)}`,
      },
      ...parts,
    );
  }

  band(phases, y) {
    return SEGMENTS.flatMap(([name, from, to], number) => {
      if (phases[from] === undefined || phases[to] === undefined) return [];
      const left = this.x(phases[from]);
      const width = this.x(Math.min(phases[to], this.until)) - left;
      if (width < 0.5) return [];
      const called = this.words.segments[name];
      const time = (value) => seconds(value, this.words);
      const title = `${called}: ${this.words.fromTo(time(phases[from]), time(phases[to]))}`;
      const drawn = [
        svg(
          "rect",
          {
            x: left,
            y,
            width,
            height: BAND.height,
            class: `halab-timeline-segment halab-timeline-segment-${number}`,
          },
          svg("title", {}, title),
        ),
      ];
      const words = [`${called} ${time(phases[to] - phases[from])}`, called, time(phases[to] - phases[from])];
      const fits = words.find((each) => letters(each) * BAND.letter + 8 < width);
      if (fits)
        drawn.push(svg("text", { x: left + width / 2, y: y + BAND.text, "text-anchor": "middle" }, fits));
      const missed = this.x(phases.missed);
      if (name === "unnoticed" && phases.missed > 0 && phases.missed < phases.detected) {
        drawn.push(svg("path", { d: `M${missed} ${y}v3m0 14v3`, class: "halab-timeline-missed" }));
      }
      return drawn;
    });
  }

  /** The marks of one operation. Where they would overlap, one mark stands for its neighbours: the worst. */
  row(samples, y) {
    const shown = samples.filter(([at]) => at >= START && at <= this.until);
    const requests = shown.map((sample) => ({ x: this.x(sample[0]), fate: kindOf(sample) }));
    return laneMarks(requests, { y, column: SLOT });
  }

  table(lanes) {
    const cells = (values, tag) =>
      values.map((value) => element(tag, tag === "th" ? { scope: "col" } : {}, value));
    const rows = lanes.map((lane) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, `${lane.label} (${this.words.badges[lane.badge]})`),
        ...cells(
          [
            ...PHASES.map((key) =>
              lane.phases?.[key] === undefined ? "–" : seconds(lane.phases[key], this.words),
            ),
            counts(lane, this.words) || "–",
          ],
          "td",
        ),
      ),
    );
    return element(
      "table",
      {},
      element("caption", {}, this.words.after),
      element("thead", {}, element("tr", {}, ...cells(["", ...this.words.columns], "th"))),
      element("tbody", {}, ...rows),
    );
  }

  // -- the scene --------------------------------------------------------------------------------------------

  buildScene() {
    const w = this.width;
    const small = w < NARROW;
    const [memberWidth, watcherWidth] = small ? [140, 150] : [190, 176];
    const x = Math.round((w - watcherWidth + SCENE.clients - memberWidth) / 2);
    const member = { x, w: memberWidth, h: MEMBERS.height };
    const p = {
      A: { ...member, y: MEMBERS.first },
      B: { ...member, y: MEMBERS.second },
      watcher: { x: w - watcherWidth, y: WATCHER.top, w: watcherWidth, h: WATCHER.height },
    };
    this.place = p;
    this.A = this.box(p.A, this.words.member(1));
    this.B = this.box(p.B, this.words.member(2));
    this.watcher = this.box(p.watcher, this.settings.detector === "lease" ? "etcd" : this.words.watcher);
    this.watcher.group.setAttribute("class", "halab-timeline-member halab-timeline-watcher");
    this.watcherNote = svg("text", {
      x: p.watcher.x + SCENE.inset,
      y: p.watcher.y + WATCHER.note,
      class: "halab-note",
    });
    this.gauge = svg("path", { class: "halab-timeline-gauge" });
    this.gaugeMisses = svg("path", { class: "halab-mark halab-mark-fail" });
    this.signs = svg("path", { class: "halab-timeline-sign" });
    this.marksNow = Object.fromEntries(
      WORST_LAST.map((fate) => [
        fate,
        svg("path", { class: `halab-mark halab-timeline-big halab-mark-${fate}` }),
      ]),
    );
    this.counts = ["answered", "late", "failed"].map((_, row) =>
      svg("text", { x: 0, y: CLIENT.counts + row * CLIENT.line, class: "halab-note" }),
    );
    redraw(this.scene, w, SCENE.height, [
      svg("text", { x: 0, y: CLIENT.heading, class: "halab-timeline-name" }, this.words.people),
      ...[0, 1, 2].map((row) => person(PERSON.top + row * PERSON.apart)),
      this.watcher.group,
      this.watcherNote,
      this.gauge,
      this.gaugeMisses,
      this.A.group,
      this.B.group,
      this.signs,
      ...Object.values(this.marksNow),
      ...this.counts,
    ]);
  }

  /** A box of the scene with its heading; what its state is, is written later. */
  box({ x, y, w, h }, heading) {
    const left = x + SCENE.inset;
    const state = svg("text", { x: left, y: y + SCENE.state, class: "halab-timeline-state" });
    const group = svg(
      "g",
      {},
      svg("rect", { x, y, width: w, height: h, rx: 8 }),
      svg("text", { x: left, y: y + SCENE.heading, class: "halab-timeline-name" }, heading),
      state,
    );
    return { group, state };
  }

  member(part, state, words) {
    if (part.now === state + words) return;
    part.now = state + words;
    part.group.setAttribute("class", `halab-timeline-member halab-timeline-${state}`);
    part.state.textContent = words;
  }

  drawScene() {
    const t = this.time;
    const m = this.marks;
    const words = this.words;
    this.member(this.A, t < 0 ? "active" : "lost", t < 0 ? words.active : words.lost[this.settings.kind]);
    if (t < m.detected) this.member(this.B, "standby", words.standby);
    else if (t < m.elected)
      this.member(this.B, "rising", this.settings.detector === "lease" ? words.tries : words.candidate);
    else if (t < m.serving) this.member(this.B, "rising", words.rising);
    else this.member(this.B, "active", words.active);
    this.drawWatcher(t, m);
    this.drawSigns(t, m);
    this.drawRequests(t, m);
  }

  lastSign(t) {
    const { interval } = detectorOf(this.settings);
    const last = -this.settings.phase * interval; // the last sign before the fault
    return t >= last ? last : last - Math.ceil((last - t) / interval) * interval;
  }

  drawWatcher(t, m) {
    const s = this.settings;
    const p = this.place.watcher;
    const left = p.x + SCENE.inset;
    const width = p.w - 2 * SCENE.inset;
    const y = p.y + WATCHER.gauge;
    let misses = "";
    if (t >= m.elected) {
      this.watcher.state.textContent = this.words.hears(2);
      this.gauge.setAttribute("d", `M${left} ${y}h${width}`);
      this.watcherNote.textContent = "";
    } else if (s.detector === "lease") {
      const valid = t >= m.detected ? 0 : Math.max(0, s.ttl - (t - this.lastSign(t)));
      this.watcher.state.textContent = t >= m.detected ? this.words.free : this.words.key;
      this.gauge.setAttribute("d", valid > 0 ? `M${left} ${y}h${(width * valid) / s.ttl}` : "");
      this.watcherNote.textContent = t >= m.detected ? "" : this.words.left(seconds(valid, this.words));
    } else {
      const missed = t < 0 ? 0 : Math.min(s.misses, Math.floor((t - this.lastSign(t)) / s.interval + 1e-9));
      const gap = width / Math.max(s.misses, 3);
      let heard = "";
      for (let k = 0; k < s.misses; k++) {
        const x = left + 6 + k * gap;
        if (k < missed) misses += markPath("fail", x, y, 4);
        else heard += `M${x - 3} ${y}h6`;
      }
      this.gauge.setAttribute("d", heard);
      this.watcher.state.textContent =
        t >= m.detected ? this.words.gone : missed ? this.words.awaits : this.words.hears(1);
      this.watcherNote.textContent = t >= m.detected ? "" : this.words.missed(missed, s.misses);
    }
    this.gaugeMisses.setAttribute("d", misses);
  }

  drawSigns(t, m) {
    const { interval } = detectorOf(this.settings);
    const p = this.place;
    const edge = ({ x, y, w, h }) => ({ x: x + w, y: y + h / 2 });
    const to = { x: p.watcher.x, y: p.watcher.y + p.watcher.h / 2 };
    const fly = (start, share) =>
      `M${start.x + (to.x - start.x) * share} ${start.y + (to.y - start.y) * share}h0`;
    let path = "";
    const flight = Math.min(FLIGHT, interval * 0.8);
    const last = this.lastSign(Math.min(t + flight, 0));
    const share = 1 - (last - t) / flight;
    if (share >= 0 && share <= 1) path += fly(edge(p.A), share);
    if (t >= m.elected) path += fly(edge(p.B), Math.min(1, ((t - m.elected) % interval) / flight));
    this.signs.setAttribute("d", path);
  }

  /** What a request looks like at a time, and where: [kind, x, y]. `waiting` is how many wait before it. */
  sight(request, t, m, waiting) {
    const [at, latency, outcome] = request;
    const end = at + latency;
    const kind = kindOf(request);
    const before = ({ x, y, h }) => ({ x: x - DOOR, y: y + h / 2 });
    const [A, B] = [before(this.place.A), before(this.place.B)];
    const between = (a, b, share) => [a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share];
    if (t < at) return ["waiting", ...between(CLIENT, at >= m.back ? B : A, 1 - (at - t) / FLIGHT)];
    if (t < end && kind === "unknown") return ["unknown", A.x - STUCK * waiting, A.y];
    if (t < end) {
      const column = waiting % QUEUE.columns;
      const row = Math.floor(waiting / QUEUE.columns);
      return ["late", CLIENT.x + QUEUE.right + QUEUE.across * column, CLIENT.y + QUEUE.down * row];
    }
    const share = (t - end) / FLIGHT;
    const retried = latency > 0 && kind !== "unknown";
    if (kind === "fail" && retried)
      return ["fail", ...between(CLIENT, { x: CLIENT.x, y: CLIENT.y + GIVEN_UP }, share)];
    const target = outcome === "ok" && end >= m.back ? B : A;
    const home = { x: CLIENT.x, y: CLIENT.y + BACK };
    return [kind === "late" ? "ok" : kind, ...between(target, home, share)];
  }

  drawRequests(t, m) {
    const paths = Object.fromEntries(WORST_LAST.map((fate) => [fate, ""]));
    const counts = { ok: 0, late: 0, bad: 0 };
    let waiting = 0;
    for (const request of this.flying) {
      const [at, latency] = request;
      if (at - FLIGHT > t) break;
      const end = at + latency;
      const kind = kindOf(request);
      if (t >= end && at >= START) counts[kind === "fail" || kind === "unknown" ? "bad" : kind]++;
      if (t > end + FLIGHT) continue;
      const [looks, x, y] = this.sight(request, t, m, waiting);
      paths[looks] += markPath(looks, x, y, REQUEST);
      if (t >= at && t < end) waiting++;
    }
    for (const [kind, path] of Object.entries(paths)) this.marksNow[kind].setAttribute("d", path);
    const bad = this.settings.kind === "hang" ? this.words.unknown : this.words.failed;
    const words = [this.words.answered(counts.ok), this.words.answeredLate(counts.late), bad(counts.bad)];
    this.counts.forEach((text, row) => {
      if (text.textContent !== words[row]) text.textContent = words[row];
    });
  }

  // -- time -------------------------------------------------------------------------------------------------

  /** Everything that depends on the time shown. Called once a frame while playing. */
  draw() {
    const x = this.x(this.time);
    this.playhead.style.transform = `translateX(${x}px)`;
    this.veil.style.left = `${x}px`;
    this.veil.style.width = this.touched ? `${Math.max(0, this.width - x)}px` : "0";
    this.handle.setAttribute("transform", `translate(${x} 0)`);
    const when =
      this.time < 0
        ? this.words.beforeFault(seconds(-this.time, this.words))
        : this.words.afterFault(seconds(this.time, this.words));
    this.clock.textContent = when;
    this.axis.setAttribute("aria-valuenow", this.time.toFixed(2));
    this.axis.setAttribute("aria-valuetext", when);
    this.drawScene();
    const phase = PHASES.filter((key) => this.marks[key] <= this.time + 1e-9).at(-1) ?? "before";
    if (phase !== this.shown) {
      this.shown = phase;
      this.beat.textContent = this.beats[phase] + (phase === "back" ? ` ${this.outcome()}` : "");
      this.axis.setAttribute("aria-valuetext", `${when}: ${this.beats[phase]}`);
      const members = [this.A, this.B].map((part) => part.state.textContent);
      this.scene.setAttribute("aria-label", this.words.scene(...members));
    }
    const label = this.playing
      ? this.words.pause
      : this.calm.matches
        ? this.words.next
        : this.time >= this.until
          ? this.words.again
          : this.words.play;
    if (this.playButton.textContent !== label) this.playButton.textContent = label;
    this.root.dataset.playing = this.playing;
  }

  outcome() {
    const { failed, late } = failedAndLate(this.settings, this.marks.back);
    return this.words.outage(
      seconds(this.marks.back, this.words),
      this.settings.rate,
      failed.toFixed(0),
      this.settings.kind === "hang",
      late >= 1 ? late.toFixed(0) : "",
    );
  }

  seek(time) {
    this.touched = true;
    this.time = Math.min(Math.max(time, START), this.until);
    this.draw();
  }

  /** To the next or previous step: one idea at a time. */
  step(direction) {
    this.pause();
    const stops = [START, ...PHASES.map((key) => this.marks[key]), this.until];
    const next =
      direction > 0
        ? stops.find((at) => at > this.time + 1e-6)
        : stops.findLast((at) => at < this.time - 1e-6);
    this.seek(next ?? (direction > 0 ? this.until : START));
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.calm.matches) return this.step(1); // who asked for less motion gets steps instead
    if (this.time >= this.until) this.time = START;
    this.touched = true;
    this.playing = true;
    let before = performance.now();
    const tick = (now) => {
      // A tab that was in the background must not jump.
      this.time += Math.min(0.1, Math.max(0, now - before) / 1000) * this.speed;
      before = now;
      if (this.time >= this.until) {
        this.time = this.until;
        this.playing = false;
      }
      this.draw();
      if (this.playing) this.frame = requestAnimationFrame(tick);
    };
    this.frame = requestAnimationFrame(tick);
    this.draw();
  }

  pause() {
    if (!this.playing) return;
    cancelAnimationFrame(this.frame);
    this.playing = false;
    this.draw();
  }

  key(event) {
    const moves = { ArrowRight: 0.5, ArrowUp: 0.5, ArrowLeft: -0.5, ArrowDown: -0.5 };
    if (event.key === " ") this.toggle();
    else if (event.key === "Home") this.halt(START);
    else if (event.key === "End") this.halt(this.until);
    else if (event.key === "PageUp") this.step(1);
    else if (event.key === "PageDown") this.step(-1);
    else if (event.key in moves) this.halt(this.time + moves[event.key] * (event.shiftKey ? 0.2 : 1));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  halt(time) {
    this.pause();
    this.seek(time);
  }
}

function byOperation(samples) {
  const rows = new Map();
  for (const sample of samples) {
    if (!rows.has(sample[3])) rows.set(sample[3], []);
    rows.get(sample[3]).push(sample);
  }
  return rows;
}

function marked(lane) {
  return lane.phases?.back !== undefined;
}

function short(operation) {
  return operation.length > 15 ? `${operation.slice(0, 14)}…` : operation;
}

function summary(lane, words) {
  return [back(lane, words), counts(lane, words)].filter(Boolean).join(" · ");
}

function back(lane, words) {
  if (marked(lane)) return words.backAfter(seconds(lane.phases.back, words));
  if (!lane.back) return "";
  const [operation, time] = lane.back;
  return words.operationBack(words.operations[operation] ?? operation, seconds(time, words));
}

function counts(lane, words) {
  const samples = lane.samples ?? [];
  const count = (kind) => samples.filter((sample) => kindOf(sample) === kind).length;
  const parts = [];
  if (count("fail") || (samples.length && !count("unknown"))) parts.push(words.failed(count("fail")));
  if (count("unknown")) parts.push(words.unknown(count("unknown")));
  if (count("empty")) parts.push(words.empty(count("empty")));
  if (count("late")) parts.push(words.late(count("late")));
  return parts.join(" · ");
}

export default frontEnd(Timeline);
