// The cluster: a button, live progress while it starts, and a table by role while it runs.
// Python sends what there is; nothing here runs on a timer.

import { announce, componentWords, element, panel, spoken, watch, watchSight } from "./shared.js";

const wordsOf = ({ gettext, pgettext }) => ({
  title: gettext("The cluster"),
  start: gettext("Start the cluster"),
  again: gettext("Try again"),
  stop: gettext("Stop it"),
  idle: gettext("Not running."),
  gone: gettext("Not running. It was taken down elsewhere."),
  starting: gettext("Starting"),
  progress: (phase, done, total, time) =>
    gettext("Starting: {phase}, {done} of {total}, {time} s", { phase, done, total, time }),
  ready: gettext("Running"),
  stopping: gettext("Stopping"),
  failed: gettext("It did not start, or it was lost."),
  healthyOf: (n, all) => gettext("{n} of {all} processes healthy.", { n, all }),
  simulated: gettext("This is a simulation: no Milvus runs here."),
  shared: gettext("memory: resident; pages that processes share are counted in each of them"),
  ttl: (ttl) => gettext("session TTL {ttl} s", { ttl }),
  profile: (name) => gettext("profile {name}", { name }),
  hint: gettext("What to do"),
  colon: gettext(": "),
  columns: {
    name: gettext("Process"),
    health: gettext("Health"),
    ha_state: gettext("HA state"),
    address: gettext("Address"),
    pid: gettext("Pid"),
    memory: gettext("Memory"),
    uptime: gettext("Up for"),
    restarts: gettext("Restarted"),
    note: pgettext("column", "Note"),
  },
  seconds: (time) => gettext("{time} s", { time }),
  minutes: (minutes, seconds) => gettext("{minutes} min {seconds} s", { minutes, seconds }),
  hours: (hours, minutes) => gettext("{hours} h {minutes} min", { hours, minutes }),
  restarts: gettext("by the supervisor"),
  ...componentWords({ gettext }),
});
// A shape for each state, so that colour is never the only sign.
const SHAPES = { healthy: "●", waiting: "○", starting: "◔", unhealthy: "▲", hung: "■", down: "✕" };
const STARRED = new Set(["active", "leader"]);
const NUMBERS = new Set(["pid", "memory", "uptime", "restarts"]);

function duration(time, words) {
  const [hours, minutes, seconds] = [3600, 60, 1].map((unit) => Math.floor(time / unit));
  if (minutes < 1) return words.seconds(seconds);
  return hours < 1 ? words.minutes(minutes, seconds % 60) : words.hours(hours, minutes % 60);
}

function health(value, words) {
  return element(
    "span",
    { class: "halab-cluster-health", "data-health": value },
    element("span", { "aria-hidden": "true" }, SHAPES[value]),
    ` ${words.health[value]}`,
  );
}

function cell(row, key, words) {
  if (key === "health") return health(row.health, words);
  if (key === "ha_state")
    return row.ha_state
      ? `${STARRED.has(row.ha_state) && row.health !== "down" ? "★ " : "☆ "}${words.ha_state[row.ha_state]}`
      : "";
  if (key === "memory") return row.memory ? `${Math.round(row.memory / 2 ** 20)} MiB` : "";
  if (key === "uptime") return row.uptime === 0 ? "" : duration(row.uptime, words);
  return row[key] === null ? "" : String(row[key]);
}

function table(rows, words) {
  const keys = Object.keys(words.columns).filter((key) => key !== "note" || rows.some((row) => row.note));
  const head = keys.map((key) =>
    element(
      "th",
      {
        scope: "col",
        class: NUMBERS.has(key) ? "halab-cluster-number" : "",
        ...(key === "restarts" ? { title: words.restarts } : {}),
      },
      words.columns[key],
    ),
  );
  const body = rows.map((row, index) => {
    const cells = keys
      .slice(1)
      .map((key) =>
        element("td", { class: NUMBERS.has(key) ? "halab-cluster-number" : "" }, cell(row, key, words)),
      );
    // A line above the first of each role; the names say which role it is.
    const first = row.role !== rows[index - 1]?.role;
    return element(
      "tr",
      { class: first ? "halab-cluster-first" : "" },
      element("th", { scope: "row" }, row.name),
      ...cells,
    );
  });
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
}

function chips(rows, words) {
  return element(
    "ul",
    { class: "halab-cluster-chips" },
    ...rows.map((row) => element("li", {}, `${row.name} `, health(row.health, words))),
  );
}

function facts(about, words) {
  const milvus = about.versions.milvus ? `Milvus ${about.versions.milvus}` : "Milvus";
  const first = about.engine === "simulated" ? words.simulated : milvus;
  return [
    first,
    about.engine,
    words.profile(about.profile),
    words.ttl(about.ttl),
    about.uri,
    about.engine !== "simulated" && words.shared,
  ]
    .filter(Boolean)
    .join(" · ");
}

function render(model, el, speech) {
  const words = wordsOf(speech);

  const button = element("button", { type: "button", class: "halab-main" });
  const status = element("p", { class: "halab-cluster-status", role: "status" });
  const bar = element("progress", { "aria-label": words.starting });
  const about = element("p", { class: "halab-cluster-facts" });
  const place = element("div", { class: "halab-scroll" });
  panel(
    model,
    el,
    "halab-cluster",
    words.title,
    element("div", { class: "halab-top" }, button, status, bar),
    about,
    place,
  );

  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true")
      model.send({ order: model.get("state") === "ready" ? "stop" : "start" });
  });

  function drawTop() {
    const state = model.get("state");
    const busy = state === "starting" || state === "stopping";
    button.textContent = { ready: words.stop, failed: words.again }[state] ?? words.start;
    // Not `disabled`: that would throw the keyboard's focus away.
    button.setAttribute("aria-disabled", busy);
    bar.hidden = state !== "starting";
    const { phase, elapsed, done, total } = model.get("progress");
    if (total) [bar.max, bar.value] = [total, done];
    else bar.removeAttribute("value");
    const rows = model.get("components");
    const healthy = rows.filter((row) => row.health === "healthy").length;
    const text =
      {
        starting: total ? words.progress(phase, done, total, elapsed.toFixed(1)) : `${words.starting} …`,
        stopping: `${words.stopping} …`,
        ready: `${words.ready}${words.colon}${words.healthyOf(healthy, rows.length)}`,
        idle: model.get("gone") ? words.gone : words.idle,
      }[state] ?? words[state];
    announce(status, text);
    status.setAttribute("aria-live", state === "starting" ? "off" : "polite");
  }

  function drawBody() {
    const state = model.get("state");
    const rows = model.get("components");
    about.textContent = state === "ready" ? facts(model.get("facts"), words) : "";
    if (state === "failed") {
      const { message, hint } = model.get("problem");
      place.replaceChildren(
        element(
          "div",
          { class: "halab-problem", role: "alert" },
          element("pre", {}, message),
          ...(hint ? [element("p", {}, element("b", {}, words.hint + words.colon), hint)] : []),
        ),
      );
    } else if (state === "starting") place.replaceChildren(...(rows.length ? [chips(rows, words)] : []));
    else place.replaceChildren(...(rows.length ? [table(rows, words)] : []));
    // A table wider than the page must be reachable by keyboard to be scrolled.
    const wide = place.scrollWidth > place.clientWidth;
    const scrolling = { tabindex: "0", role: "region", "aria-label": words.title };
    for (const [name, value] of Object.entries(scrolling)) {
      if (wide) place.setAttribute(name, value);
      else place.removeAttribute(name);
    }
  }

  const draw = () => {
    drawTop();
    drawBody();
  };
  const unwatch = watch(model, {
    state: draw,
    components: draw,
    progress: draw,
    facts: draw,
    problem: draw,
    gone: draw,
  });
  draw();
  const unwatchSight = watchSight(model, el);
  return () => {
    unwatch();
    unwatchSight();
  };
}

export default spoken(render);
