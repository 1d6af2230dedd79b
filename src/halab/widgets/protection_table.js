// Disasters against protections: ticks choose what one has, cells say what it does. An anywidget front-end module.
// Everything is worked out here, from the cells Python hands over; nothing runs on a timer.

import { announce, element, panel, slider, spoken, watch } from "./shared.js";

const SHAPES = { yes: "●", if: "◐", no: "✕" }; // a shape for each verdict, so that colour is never the only sign
const HOUR = 3600;

const wordsOf = ({ gettext, pgettext }) => ({
  title: gettext("What helps against what?"),
  help: gettext("Tick what you have. Choose a cell to read why."),
  interval: gettext("Hours between two backups"),
  disaster: gettext("Disaster"),
  best: gettext("You get"),
  rto: gettext("RTO up to"),
  rpo: gettext("RPO up to"),
  nothing: gettext("nothing helps"),
  conditional: (name) => gettext("{name} (on a condition)", { name }),
  verdict: (disaster, protection, helps) =>
    gettext("{disaster}, {protection}: {helps}", { disaster, protection, helps }),
  reason: (verdict, why) => gettext("{verdict}. {why}", { verdict, why }),
  helps: { yes: gettext("helps"), if: gettext("helps on a condition"), no: gettext("does not help") },
  assumed: gettext("All times are assumptions: put your own drill's in their place."),
  said: (yes, some, no) =>
    gettext("{yes} of 8 answered, {some} on a condition, {no} not at all.", { yes, some, no }),
  units: (s) =>
    s === 0
      ? "0"
      : s < 60
        ? gettext("{time} s", { time: s })
        : s < HOUR
          ? gettext("{minutes} min", { minutes: s / 60 })
          : gettext("{hours} h", { hours: s / HOUR }),
  names: {
    "node loss": gettext("node loss"),
    "two nodes": gettext("two nodes"),
    rack: gettext("rack"),
    "wrong delete": gettext("wrong delete"),
    "dropped collection": gettext("dropped collection"),
    "bad release": gettext("bad release"),
    ransomware: gettext("ransomware"),
    "site loss": gettext("site loss"),
    replicas: pgettext("protection", "replicas"),
    standby: pgettext("protection", "standby"),
    snapshots: gettext("snapshots"),
    backup: gettext("backup"),
    "off-site backup": gettext("off-site backup"),
  },
});

// ---- The mirror of halab.models.protection.best. A test checks that both agree. ---------------------------------

/** Worst RTO and RPO of each protection, seconds, with `interval` hours between two backups. */
export function costs(times, interval) {
  const change = (interval - 24) * HOUR;
  return Object.fromEntries(
    Object.entries(times).map(([name, [rto, rpo]]) => [
      name,
      [rto, name.endsWith("backup") ? rpo + change : rpo],
    ]),
  );
}

/** The best of what one has against each disaster: certain before conditional, then the quickest. */
export function best(cells, disasters, have, times) {
  return disasters.map((disaster) => {
    const helping = cells.filter(
      (cell) => cell.disaster === disaster && have.includes(cell.protection) && cell.helps !== "no",
    );
    const rank = (cell) => [cell.helps === "if" ? 1 : 0, ...times[cell.protection]];
    helping.sort(
      (one, other) =>
        rank(one)
          .map((value, at) => value - rank(other)[at])
          .find((by) => by !== 0) ?? 0,
    );
    const [first] = helping;
    if (!first) return { disaster, protection: "", helps: "no", rto: 0, rpo: 0 };
    const [rto, rpo] = times[first.protection];
    return { disaster, protection: first.protection, helps: first.helps, rto, rpo };
  });
}

// ---- The picture ------------------------------------------------------------------------------------------------

function render(model, el, speech) {
  const words = wordsOf(speech);
  const named = (name) => words.names[name] ?? name;
  const cells = model.get("cells");
  let chosen = null;

  const boxes = {};
  const head = element("tr", {}, element("th", { scope: "col" }, words.disaster));
  for (const name of model.get("protections")) {
    boxes[name] = element("input", { type: "checkbox", "data-have": name });
    boxes[name].addEventListener("change", () => {
      model.set(
        "have",
        model.get("protections").filter((one) => boxes[one].checked),
      );
      model.save_changes();
    });
    head.append(element("th", { scope: "col" }, element("label", {}, boxes[name], ` ${named(name)}`)));
  }
  head.append(
    ...[words.best, words.rto, words.rpo].map((text) =>
      element("th", { scope: "col", class: "halab-protect-result" }, text),
    ),
  );

  const results = {};
  const buttons = [];
  const body = model.get("disasters").map((disaster) => {
    const row = element(
      "tr",
      { "data-disaster": disaster },
      element("th", { scope: "row" }, named(disaster)),
    );
    for (const name of model.get("protections")) {
      const cell = cells.find((one) => one.disaster === disaster && one.protection === name);
      const button = element(
        "button",
        {
          type: "button",
          "data-helps": cell.helps,
          "data-cell": `${disaster}/${name}`,
          "aria-pressed": "false",
          "aria-label": words.verdict(named(disaster), named(name), words.helps[cell.helps]),
        },
        SHAPES[cell.helps],
      );
      button.addEventListener("click", () => {
        chosen = cell;
        drawReason();
      });
      buttons.push([button, cell]);
      row.append(element("td", {}, button));
    }
    results[disaster] = ["best", "rto", "rpo"].map((kind) =>
      element("td", { class: "halab-protect-result", "data-kind": kind }),
    );
    row.append(...results[disaster]);
    return row;
  });

  const interval = slider(words.interval, { min: 1, max: 48, step: 1 }, (hours) => {
    model.set("interval", hours);
    model.save_changes();
  });
  const reason = element("p", { class: "halab-protect-reason", role: "status" });
  const summary = element("p", { class: "halab-protect-summary", role: "status" });
  const legend = element(
    "p",
    { class: "halab-legend" },
    ...Object.keys(SHAPES).map((kind) =>
      element(
        "span",
        {},
        element("span", { "data-helps": kind, "aria-hidden": "true" }, SHAPES[kind]),
        ` ${words.helps[kind]}`,
      ),
    ),
  );
  panel(
    model,
    el,
    "halab-protect",
    words.title,
    element(
      "div",
      { class: "halab-top" },
      element("strong", {}, words.title),
      element("span", {}, words.help),
      interval.root,
    ),
    element(
      "div",
      { class: "halab-scroll" },
      element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)),
    ),
    reason,
    summary,
    legend,
    element("p", { class: "halab-note" }, words.assumed),
  );

  function drawReason() {
    for (const [button, cell] of buttons) button.setAttribute("aria-pressed", cell === chosen);
    reason.textContent = chosen
      ? words.reason(
          words.verdict(named(chosen.disaster), named(chosen.protection), words.helps[chosen.helps]),
          chosen.why,
        )
      : "";
  }

  function draw() {
    const have = model.get("have");
    for (const [name, box] of Object.entries(boxes)) box.checked = have.includes(name);
    interval.input.value = model.get("interval");
    interval.show(String(model.get("interval")));
    for (const [button, cell] of buttons)
      button.classList.toggle("halab-protect-idle", !have.includes(cell.protection));
    const found = best(cells, model.get("disasters"), have, costs(model.get("times"), model.get("interval")));
    const count = { yes: 0, if: 0, no: 0 };
    for (const one of found) {
      count[one.helps] += 1;
      const [what, rto, rpo] = results[one.disaster];
      what.dataset.helps = one.helps;
      const name = one.protection ? named(one.protection) : words.nothing;
      what.textContent = `${SHAPES[one.helps]} ${one.helps === "if" ? words.conditional(name) : name}`;
      rto.textContent = one.protection ? words.units(one.rto) : "–";
      rpo.textContent = one.protection ? words.units(one.rpo) : "–";
    }
    const said = words.said(count.yes, count.if, count.no);
    announce(summary, said);
  }
  const unwatch = watch(model, { have: draw, interval: draw });
  draw();
  drawReason();
  return unwatch;
}

export default spoken(render);
