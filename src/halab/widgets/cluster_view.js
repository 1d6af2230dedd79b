// The cluster: a button, live progress while it starts, and a table by role while it runs.
// Python sends what there is; nothing here runs on a timer.

import { announce, COMPONENT_WORDS, element, panel, watch, watchSight } from "./shared.js";

const WORDS = {
  en: {
    title: "The cluster",
    start: "Start the cluster",
    again: "Try again",
    stop: "Stop it",
    idle: "Not running.",
    gone: "Not running. It was taken down elsewhere.",
    starting: "Starting",
    ready: "Running",
    stopping: "Stopping",
    failed: "It did not start, or it was lost.",
    healthyOf: (n, all) => `${n} of ${all} processes healthy.`,
    simulated: "This is a simulation: no Milvus runs here.",
    shared: "memory: resident; pages that processes share are counted in each of them",
    ttl: "session TTL",
    profile: "profile",
    hint: "What to do",
    colon: ": ",
    columns: {
      name: "Process",
      health: "Health",
      ha_state: "HA state",
      address: "Address",
      pid: "Pid",
      memory: "Memory",
      uptime: "Up for",
      restarts: "Restarted",
      note: "Note",
    },
    restarts: "by the supervisor",
    ...COMPONENT_WORDS.en,
  },
  zh: {
    title: "集群",
    start: "启动集群",
    again: "再试一次",
    stop: "停止",
    idle: "没有运行。",
    gone: "没有运行。集群已在别处关闭。",
    starting: "正在启动",
    ready: "正在运行",
    stopping: "正在停止",
    failed: "没能启动，或者连不上了。",
    healthyOf: (n, all) => `${all} 个进程中 ${n} 个健康。`,
    simulated: "这是模拟：这里没有运行真正的 Milvus。",
    shared: "内存为常驻内存，进程间共享的页在每个进程里都算一次",
    ttl: "会话 TTL",
    profile: "配置",
    hint: "怎么办",
    colon: "：",
    columns: {
      name: "进程",
      health: "健康",
      ha_state: "高可用状态",
      address: "地址",
      pid: "进程号",
      memory: "内存",
      uptime: "已运行",
      restarts: "重启次数",
      note: "备注",
    },
    restarts: "由守护进程重启",
    ...COMPONENT_WORDS.zh,
  },
};
// A shape for each state, so that colour is never the only sign.
const SHAPES = { healthy: "●", waiting: "○", starting: "◔", unhealthy: "▲", hung: "■", down: "✕" };
const STARRED = new Set(["active", "leader"]);
const NUMBERS = new Set(["pid", "memory", "uptime", "restarts"]);

function duration(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
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
  if (key === "uptime") return row.uptime === 0 ? "" : duration(row.uptime);
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
    `${words.profile} ${about.profile}`,
    `${words.ttl} ${about.ttl} s`,
    about.uri,
    about.engine !== "simulated" && words.shared,
  ]
    .filter(Boolean)
    .join(" · ");
}

function render({ model, el }) {
  const words = WORDS[model.get("lang")];

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
        starting: total
          ? `${words.starting}${words.colon}${phase}, ${done}/${total}, ${elapsed.toFixed(1)} s`
          : `${words.starting} …`,
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

export default { render };
