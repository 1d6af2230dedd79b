// A measurement while it runs: a lane for each operation that fills, request by request, and what happened when.
// Python sends a few times a second what became of the requests; nothing here runs on a timer, and nothing moves.

import {
  announce,
  element,
  frontEnd,
  laneMarks,
  letters,
  markLegend,
  Picture,
  redraw,
  svg,
  watch,
} from "./shared.js";

const wordsOf = ({ gettext }) => ({
  title: gettext("The measurement, live"),
  seconds: (time) => gettext("{time} s", { time }),
  marks: {
    ok: gettext("answered"),
    empty: gettext("answered, but nothing found"),
    fail: gettext("failed"),
    unknown: gettext("no answer in time"),
    waiting: gettext("on its way"),
  },
  moments: {
    ordered: (name) => gettext("ordered: {name}", { name }),
    struck: (name) => gettext("{name} struck", { name }),
    active: (name) => gettext("{name} took over", { name }),
    restarted: (name) => gettext("{name} started again by the supervisor", { name }),
    undone: (name) => gettext("{name} mended", { name }),
  },
  moment: (what, time) => gettext("{what}, {time} s", { what, time }),
  list: gettext(", "),
  lane: (name, counts) => gettext("{name}: {counts}", { name, counts }),
});
const LETTERS = { o: "ok", e: "empty", x: "fail", "?": "unknown", ".": "waiting" };
// Seconds that are shown: the axis grows as the run goes on.
const GROWS = [15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600];
const COLUMN = 7; // pixels
const PITCH = 5.6; // pixels from one mark up to the next
const MOST = 10; // marks one above the other
const LANE = { apart: 12, names: 112 };
const AXIS = { height: 22, apart: 44 };
const NOTE = { height: 15, letter: 6.4 };
const SPEAK = 5000; // milliseconds between two sentences that are read aloud

class LiveLane extends Picture {
  constructor(model, el, speech) {
    super(model, el, "halab-live", wordsOf(speech));
    this.spoken = 0;
    this.phase = "";
    this.start();
  }

  build() {
    this.sentence = element("p", { class: "halab-live-sentence", "aria-hidden": "true" });
    this.aloud = element("p", { class: "halab-live-aloud", role: "status" });
    this.picture = svg("svg", { role: "img" });
    const fates = Object.keys(this.words.marks);
    this.root.append(this.sentence, this.aloud, this.picture, markLegend(fates, this.words.marks));
    // One message brings several traits: it is drawn once.
    const soon = () => {
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.update());
    };
    this.unwatch = watch(this.model, { outcomes: soon, now: soon, sentence: soon, moments: soon });
  }

  destroy() {
    this.unwatch();
    super.destroy();
  }

  update() {
    this.tell();
    const now = this.model.get("now");
    this.until = GROWS.find((span) => now < span - 0.5) ?? Math.ceil(now / 300 + 1) * 300;
    const width = this.width;
    this.scale = (width - LANE.names - 14) / this.until;
    const notes = this.notes(width);
    let y = notes.height + 4;
    const parts = [];
    const rows = Math.min(MOST, Math.max(2, Math.ceil((COLUMN / this.scale) * this.model.get("rate"))));
    this.model.get("operations").forEach((name, index, all) => {
      y += rows * PITCH + LANE.apart;
      parts.push(...this.lane(name, index / all.length, y - 6, rows));
    });
    redraw(this.picture, width, y + AXIS.height, [
      ...this.axis(y),
      ...notes.draw(y),
      ...parts,
      svg("line", { x1: this.x(now), x2: this.x(now), y1: notes.height, y2: y, class: "halab-live-now" }),
    ]);
    this.picture.setAttribute("aria-label", this.inWords());
  }

  /** The sentence for the eye at once; aloud when a new phase begins, and else now and then. */
  tell() {
    const text = this.model.get("sentence");
    this.sentence.textContent = text;
    const phase = this.model.get("phase") + this.model.get("moments").length;
    const time = performance.now();
    if (phase === this.phase && time < this.spoken + SPEAK) return;
    [this.phase, this.spoken] = [phase, time];
    announce(this.aloud, text);
  }

  x(at) {
    return LANE.names + at * this.scale;
  }

  /** The requests of an operation: number n was meant to leave at (n + shift) / rate. */
  requests(name, shift) {
    const rate = this.model.get("rate");
    const letters = this.model.get("outcomes")[name] ?? "";
    const sent = Math.floor(this.model.get("now") * rate - shift) + 1;
    const all = [];
    for (let n = 0; n < Math.max(sent, letters.length); n++)
      all.push({ x: this.x((n + shift) / rate), fate: LETTERS[letters[n] ?? "."] });
    return all;
  }

  lane(name, shift, y, rows) {
    const marks = laneMarks(this.requests(name, shift), { y, column: COLUMN, rows, pitch: PITCH, r: 2.2 });
    return [svg("text", { x: 0, y: y + 2 }, name), ...marks];
  }

  axis(y) {
    const step =
      [1, 2, 5, 10, 20, 30, 60].find((each) => each * this.scale > AXIS.apart) ?? Math.ceil(this.until / 5);
    const parts = [
      svg("line", { x1: this.x(0), x2: this.x(this.until), y1: y, y2: y, class: "halab-live-tick" }),
    ];
    for (let at = 0; at <= this.until; at += step)
      parts.push(
        svg("line", { x1: this.x(at), x2: this.x(at), y1: y, y2: y + 4, class: "halab-live-tick" }),
        svg("text", { x: this.x(at), y: y + 16, "text-anchor": "middle" }, this.words.seconds(at)),
      );
    return parts;
  }

  /** What happened, each with a line down through the lanes; a text that would meet another goes a row lower. */
  notes(width) {
    const ends = [];
    const placed = this.model.get("moments").map(({ at, what, name }) => {
      const words = this.words.moment(this.words.moments[what](name), at.toFixed(1));
      const long = letters(words) * NOTE.letter + 6;
      const x = this.x(at);
      const left = Math.min(x + 4, width - long);
      let row = ends.findIndex((end) => end < left);
      if (row < 0) row = ends.length;
      ends[row] = left + long;
      return { x, left, row, words, what };
    });
    const draw = (bottom) =>
      placed.flatMap(({ x, left, row, words, what }) => [
        svg("line", {
          x1: x,
          x2: x,
          y1: row * NOTE.height + 2,
          y2: bottom,
          class: `halab-live-moment halab-live-${what}`,
        }),
        svg("text", { x: left, y: (row + 1) * NOTE.height - 3, class: `halab-live-${what}` }, words),
      ]);
    return { height: Math.max(1, ends.length) * NOTE.height, draw };
  }

  inWords() {
    const lanes = this.model.get("operations").map((name, index, all) => {
      const fates = this.requests(name, index / all.length).map(({ fate }) => fate);
      const counts = Object.entries(this.words.marks)
        .map(([fate, words]) => [fates.filter((each) => each === fate).length, words])
        .filter(([count]) => count)
        .map(([count, words]) => `${count} ${words}`);
      return this.words.lane(name, counts.join(this.words.list) || "–");
    });
    return lanes.join("; ");
  }
}

export default frontEnd(LiveLane);
