// A drill on paper: a checklist with clocks beside the time line. An anywidget front-end module.
// The time line is worked out here; the clock runs only while "Run" is pressed.

import { announce, element, panel, spoken, watch } from "./shared.js";

const SIGNS = {
  waiting: "○",
  running: "▶",
  done: "✓",
  stopped: "■",
  failed: "✕",
  "rolled back": "↶",
  fenced: "▣",
};
const PER_MINUTE = 60; // milliseconds of the clock for one minute of the drill

const wordsOf = ({ gettext, pgettext }) => ({
  title: gettext("A drill on paper"),
  help: gettext("Set the minutes, choose what goes wrong, and run it."),
  run: gettext("Run"),
  end: gettext("To the end"),
  again: gettext("Reset"),
  fault: gettext("What goes wrong"),
  step: gettext("Step"),
  minutes: gettext("Minutes"),
  line: gettext("Time line"),
  clock: gettext("Clock"),
  rto: "RTO",
  rpo: "RPO",
  age: gettext("Minutes since the newest backup"),
  none: pgettext("time", "none"),
  unit: gettext("min"),
  against: (met, target) =>
    met
      ? gettext(" ✓ (target {target}, met)", { target })
      : gettext(" ✕ (target {target}, missed)", { target }),
  assumed: gettext("All times are assumptions: put your own drill's in their place."),
  colon: gettext(": "),
  names: {
    backup: gettext("1 Verify the newest backup"),
    standby: gettext("2 Verify the standby"),
    loss: gettext("3 Lose the primary, decide"),
    failover: gettext("4 Fail over"),
    service: gettext("5 Verify the service"),
    measure: gettext("6 Compute RTO and RPO"),
    report: gettext("7 Report"),
    failback: gettext("8 Fail back"),
    "roll back": gettext("Roll back"),
    fence: gettext("Fence the primary"),
  },
  faults: {
    none: pgettext("fault", "nothing"),
    "backup corrupt": gettext("the backup is corrupt"),
    "standby unhealthy": gettext("the standby is unhealthy"),
    "failover too slow": gettext("the failover is too slow"),
    "service half broken": gettext("the service is half broken"),
    "split brain": gettext("the primary comes back (split brain)"),
  },
  statuses: {
    waiting: pgettext("step", "waiting"),
    running: gettext("under way"),
    done: gettext("done"),
    stopped: gettext("stopped here"),
    failed: gettext("failed"),
    "rolled back": gettext("rolled back"),
    fenced: gettext("fenced"),
  },
  verdicts: {
    passed: gettext("The drill went through."),
    stopped: gettext("Stopped before any harm: users noticed nothing."),
    "rolled back": gettext("Rolled back: the primary serves again, and no row is lost."),
  },
});

// ---- The mirror of halab.models.drill_plan.plan. A test checks that both agree. --------------------------------------

/** The time line of a drill; times are minutes. */
export function plan(minutes, fault, age, extra) {
  const bars = [];
  let now = 0;
  const more = (step, length, status) => {
    bars.push({ step, start: now, end: now + length, status });
    now += length;
  };
  const add = (step, status = "done") => more(step, minutes[step], status);
  for (const [step, bad] of [
    ["backup", "backup corrupt"],
    ["standby", "standby unhealthy"],
  ]) {
    if (fault === bad) {
      add(step, "stopped");
      return { bars, verdict: "stopped", rto: null, rpo: null };
    }
    add(step);
  }
  const lost = now;
  add("loss");
  for (const [step, bad] of [
    ["failover", "failover too slow"],
    ["service", "service half broken"],
  ]) {
    if (fault === bad) {
      add(step, "failed");
      more("roll back", extra["roll back"], "rolled back");
      return { bars, verdict: "rolled back", rto: now - lost, rpo: 0 };
    }
    if (step === "service" && fault === "split brain") more("fence", extra.fence, "fenced");
    add(step);
  }
  const rto = now - lost;
  for (const step of ["measure", "report", "failback"]) add(step);
  return { bars, verdict: "passed", rto, rpo: age };
}

// ---- The picture ------------------------------------------------------------------------------------------------

function render(model, el, speech) {
  const words = wordsOf(speech);
  const extra = model.get("extra");
  let now = Infinity; // minutes on the clock; the whole time line until somebody runs it
  let timer = null;

  const faults = element(
    "select",
    { "data-part": "fault" },
    ...model.get("faults").map((name) => element("option", { value: name }, words.faults[name])),
  );
  faults.addEventListener("change", () => {
    change("fault", faults.value);
  });
  const age = element("input", { type: "number", min: 0, max: 240, step: 5, "data-part": "age" });
  age.addEventListener("change", () => {
    change("backup_age", Math.min(240, Math.max(0, Math.round(Number(age.value)) || 0)));
  });
  const buttons = ["run", "end", "again"].map((name) => {
    const button = element(
      "button",
      { type: "button", class: name === "run" ? "halab-main" : "", "data-part": name },
      words[name],
    );
    button.addEventListener("click", { run, end: () => stop(Infinity), again: () => stop(0) }[name]);
    return button;
  });
  const clocks = Object.fromEntries(
    ["clock", "rto", "rpo"].map((name) => [name, element("output", { "data-clock": name })]),
  );
  const face = (name) =>
    element("div", { class: "halab-drill-clock" }, element("span", {}, words[name]), clocks[name]);
  const rows = element("tbody");
  const summary = element("p", { class: "halab-drill-summary", role: "status" });

  panel(
    model,
    el,
    "halab-drill",
    words.title,
    element(
      "div",
      { class: "halab-top" },
      element("strong", {}, words.title),
      element("span", {}, words.help),
    ),
    element(
      "div",
      { class: "halab-top" },
      element("label", {}, `${words.fault} `, faults),
      element("label", {}, `${words.age} `, age),
      element("span", { class: "halab-drill-buttons" }, ...buttons),
    ),
    element("div", { class: "halab-drill-clocks" }, face("clock"), face("rto"), face("rpo")),
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...["step", "minutes", "line"].map((name) => element("th", { scope: "col" }, words[name])),
        ),
      ),
      rows,
    ),
    summary,
    element("p", { class: "halab-note" }, words.assumed),
  );

  // A row is made once and kept, so that a slider keeps its focus while it is dragged.
  const lines = {};
  for (const step of [
    "backup",
    "standby",
    "loss",
    "failover",
    "fence",
    "service",
    "roll back",
    "measure",
    "report",
    "failback",
  ]) {
    const sign = element("span", { class: "halab-drill-sign", "aria-hidden": "true" });
    const status = element("span", { class: "halab-drill-status" });
    const bar = element("div", { class: "halab-drill-bar" });
    const figure = element("span", { class: "halab-drill-figure" });
    const cell = element("td", {});
    if (step in extra) cell.append(figure);
    else {
      const slider = element("input", {
        type: "range",
        min: 0,
        max: 120,
        step: 1,
        "data-step": step,
        "aria-label": `${words.names[step]}${words.colon}${words.minutes}`,
      });
      slider.addEventListener("input", () => {
        change("minutes", { ...model.get("minutes"), [step]: Number(slider.value) });
      });
      cell.append(slider, figure);
      lines[step] = { slider };
    }
    const row = element(
      "tr",
      { "data-row": step },
      element("th", { scope: "row" }, sign, ` ${words.names[step]} `, status),
      cell,
      element("td", { class: "halab-drill-track" }, bar),
    );
    lines[step] = { ...lines[step], row, sign, status, bar, figure };
    rows.append(row);
  }

  function current() {
    return plan(model.get("minutes"), model.get("fault"), model.get("backup_age"), extra);
  }

  /** Another drill is another time line: the clock shows its end until somebody runs it. */
  function change(name, value) {
    model.set(name, value);
    model.save_changes();
    stop(Infinity);
  }

  function run() {
    stop(0);
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const { bars } = current();
    const total = bars[bars.length - 1].end;
    if (still || !total) {
      stop(Infinity);
      return;
    }
    const began = performance.now();
    timer = setInterval(() => {
      now = (performance.now() - began) / PER_MINUTE;
      if (now >= total) stop(Infinity);
      else draw();
    }, 50);
  }

  function stop(at) {
    clearInterval(timer);
    timer = null;
    now = at;
    draw();
  }

  function state(bar) {
    return now >= bar.end ? bar.status : now >= bar.start && timer !== null ? "running" : "waiting";
  }

  function show(output, value, target) {
    output.textContent = value === null ? words.none : `${Math.floor(value)} ${words.unit}`;
    delete output.dataset.met;
    if (target === undefined || value === null) return;
    const met = value <= target;
    output.dataset.met = met ? "yes" : "no";
    output.textContent += words.against(met, target);
  }

  function draw() {
    const found = current();
    const total = found.bars[found.bars.length - 1].end || 1;
    const minutes = model.get("minutes");
    faults.value = model.get("fault");
    age.value = model.get("backup_age");
    for (const [step, line] of Object.entries(lines)) {
      const bar = found.bars.find((one) => one.step === step);
      line.row.hidden = step in extra && !bar;
      if (line.slider) line.slider.value = minutes[step];
      line.figure.textContent = String(minutes[step] ?? extra[step]);
      const status = bar ? state(bar) : "waiting";
      line.row.dataset.status = status;
      line.sign.textContent = SIGNS[status];
      line.status.textContent = words.statuses[status];
      line.bar.hidden = !bar;
      if (bar) {
        const shown = Math.max(0, Math.min(now, bar.end) - bar.start);
        line.bar.style.left = `${(100 * bar.start) / total}%`;
        line.bar.style.width = `${(100 * shown) / total}%`;
      }
    }
    const loss = found.bars.find((one) => one.step === "loss");
    const ended = now >= total;
    show(clocks.clock, Math.min(now, total));
    if (found.rto === null || (loss && now < loss.start)) show(clocks.rto, null);
    else
      show(
        clocks.rto,
        Math.min(now - loss.start, found.rto),
        now - loss.start >= found.rto ? model.get("target_rto") : undefined,
      );
    const measured =
      found.rpo === null || (!ended && now - (loss?.start ?? 0) < (found.rto ?? 0)) ? null : found.rpo;
    show(clocks.rpo, measured, model.get("target_rpo"));
    const said = ended ? words.verdicts[found.verdict] : "";
    announce(summary, said);
  }

  const unwatch = watch(model, {
    minutes: draw,
    fault: draw,
    backup_age: draw,
    target_rto: draw,
    target_rpo: draw,
  });
  draw();
  return () => {
    clearInterval(timer);
    unwatch();
  };
}

export default spoken(render);
