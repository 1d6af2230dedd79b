// The survivability map: parts as switches, and what becomes of each operation. An anywidget front-end module.
// Everything is worked out here, from the table Python hands over; nothing runs on a timer.

import { announce, element, panel, watch } from "./shared.js";

const MOST = 7;
const ROLES = [
  "entry",
  "proxy",
  "rootcoord",
  "querycoord",
  "datacoord",
  "querynode",
  "datanode",
  "indexnode",
  "etcd",
  "log",
  "objectstore",
];
const LED = new Set(["rootcoord", "querycoord", "datacoord", "etcd"]);
// A shape for each fate, so that colour is never the only sign.
const SHAPES = { survives: "●", degrades: "◐", stops: "✕" };

const WORDS = {
  en: {
    title: "What survives?",
    help: "Press a part to switch it off, and again to switch it on.",
    reset: "Switch all on",
    copies: "Copies of the data",
    fewer: (what) => `One less: ${what}`,
    more: (what) => `One more: ${what}`,
    off: "off",
    leads: "leads",
    edited: "edited",
    none: "none",
    fates: { survives: "survives", degrades: "degrades", stops: "stops" },
    legend: {
      survives: "goes on",
      degrades: "fails for a while, then works again by itself",
      stops: "fails until somebody repairs it",
    },
    operations: {
      search: "search",
      "strong search": "strong search",
      insert: "insert",
      "metadata call": "metadata call",
      flush: "flush",
      load: "load",
    },
    roles: {
      entry: "proxy, the clients'",
      proxy: "proxies, others",
      rootcoord: "root coordinators",
      querycoord: "query coordinators",
      datacoord: "data coordinators",
      querynode: "query nodes",
      datanode: "data nodes",
      indexnode: "index nodes",
      etcd: "etcd (majority)",
      log: "log",
      objectstore: "object store",
    },
    said: (n) => `${n.survives} survive, ${n.degrades} degrade, ${n.stops} stop.`,
    colon: ": ",
  },
  zh: {
    title: "哪些操作还活着？",
    help: "按一下部件就关掉，再按一下就打开。",
    reset: "全部打开",
    copies: "数据副本数",
    fewer: (what) => `减一个：${what}`,
    more: (what) => `加一个：${what}`,
    off: "已关",
    leads: "主",
    edited: "已改动",
    none: "没有",
    fates: { survives: "照常", degrades: "中断后恢复", stops: "停止" },
    legend: { survives: "照常进行", degrades: "失败一阵子，然后自己恢复", stops: "一直失败，直到有人修好" },
    operations: {
      search: "搜索",
      "strong search": "强一致搜索",
      insert: "写入",
      "metadata call": "元数据操作",
      flush: "落盘",
      load: "加载",
    },
    roles: {
      entry: "客户端用的代理",
      proxy: "其余代理",
      rootcoord: "根协调器",
      querycoord: "查询协调器",
      datacoord: "数据协调器",
      querynode: "查询节点",
      datanode: "数据节点",
      indexnode: "索引节点",
      etcd: "etcd（过半数）",
      log: "日志",
      objectstore: "对象存储",
    },
    said: (n) => `${n.survives} 种照常，${n.degrades} 种中断后恢复，${n.stops} 种停止。`,
    colon: "：",
  },
};

// ---- The mirror of halab.models.survival.verdicts. A test checks that both agree. ------------------------------

const least = (needs, members) => ({ one: 1, majority: Math.floor(members / 2) + 1, nothing: 0 })[needs];

function upsets(upset, lost, copies) {
  if (upset === "leader") return lost.some((part) => part.leads);
  if (upset === "only copy") return lost.length >= copies;
  return upset === "any" && lost.length > 0;
}

/** What becomes of each operation of the table: its fate, and the facts that decide it. */
export function verdicts(facts, parts, down, copies) {
  const off = new Set(down);
  return [...Object.keys(WORDS.en.operations)].map((operation) => {
    const stopping = [];
    const upsetting = [];
    for (const fact of facts) {
      if (fact.operation !== operation) continue;
      const there = parts.filter((part) => part.role === fact.role);
      const lost = there.filter((part) => off.has(part.name));
      if (there.length - lost.length < least(fact.needs, there.length)) stopping.push(fact);
      else if (upsets(fact.upset, lost, copies)) upsetting.push(fact);
    }
    if (stopping.length) return { operation, fate: "stops", because: stopping };
    return { operation, fate: upsetting.length ? "degrades" : "survives", because: upsetting };
  });
}

/** The parts with one more, or one less, of a role. */
export function edited(parts, role, change) {
  const mine = parts.filter((part) => part.role === role);
  if (change < 0) {
    const last = mine.at(-1);
    const left = parts.filter((part) => part !== last);
    // Where the leader goes, the first of those that are left leads.
    const heir = last?.leads ? left.find((part) => part.role === role) : undefined;
    return left.map((part) => (part === heir ? { ...part, leads: true } : part));
  }
  const base = role === "entry" ? "proxy" : role;
  const taken = new Set(parts.map((part) => part.name));
  let number = 1;
  while (taken.has(`${base}-${number}`) || (number === 1 && taken.has(base))) number += 1;
  return [...parts, { name: `${base}-${number}`, role, leads: LED.has(role) && !mine.length }];
}

// ---- The picture ------------------------------------------------------------------------------------------------

const shape = (fate) =>
  element("span", { class: "halab-map-shape", "data-fate": fate, "aria-hidden": "true" }, SHAPES[fate]);

function render({ model, el }) {
  const words = WORDS[model.get("lang")];
  const original = JSON.stringify(model.get("parts"));

  const source = element("p", { class: "halab-map-source" });
  const reset = element("button", { type: "button", class: "halab-map-reset" }, words.reset);
  const copies = element("output");
  const copiesBox = element(
    "span",
    { class: "halab-map-copies" },
    `${words.copies}${words.colon}`,
    step(-1),
    copies,
    step(1),
  );
  const rows = element("div", { class: "halab-map-rows" });
  const fates = element("ul", { class: "halab-map-fates" });
  const summary = element("p", { class: "halab-map-summary", role: "status" });
  const legend = element(
    "p",
    { class: "halab-legend" },
    ...Object.keys(SHAPES).map((fate) =>
      element("span", {}, shape(fate), ` ${words.fates[fate]}${words.colon}${words.legend[fate]}`),
    ),
    element("span", {}, `★ ${words.leads}`),
  );
  panel(
    model,
    el,
    "halab-map",
    words.title,
    element("div", { class: "halab-top" }, element("strong", {}, words.title), source, copiesBox, reset),
    element("p", { class: "halab-map-help" }, words.help),
    element("div", { class: "halab-map-sides" }, rows, element("div", {}, summary, fates)),
    legend,
  );

  function step(change) {
    const say = (change < 0 ? words.fewer : words.more)(words.copies);
    const button = element(
      "button",
      { type: "button", class: "halab-map-step", "aria-label": say },
      change < 0 ? "−" : "+",
    );
    button.addEventListener("click", () => {
      model.set("copies", Math.min(MOST, Math.max(1, model.get("copies") + change)));
      model.save_changes();
    });
    return button;
  }

  reset.addEventListener("click", () => {
    model.set("down", []);
    model.save_changes();
  });

  function flip(name) {
    const down = model.get("down");
    model.set("down", down.includes(name) ? down.filter((one) => one !== name) : [...down, name]);
    model.save_changes();
  }

  function edit(role, change) {
    const parts = edited(model.get("parts"), role, change);
    const names = new Set(parts.map((part) => part.name));
    model.set(
      "down",
      model.get("down").filter((name) => names.has(name)),
    );
    model.set("parts", parts);
    model.save_changes();
  }

  function partButton(part) {
    const off = model.get("down").includes(part.name);
    const button = element("button", {
      type: "button",
      class: "halab-map-part",
      "data-part": part.name,
      "aria-pressed": off,
      "aria-label": [part.name, part.leads ? words.leads : "", off ? words.off : ""]
        .filter(Boolean)
        .join(", "),
    });
    button.append(
      element("span", { "aria-hidden": "true" }, off ? "✕ " : "● "),
      part.name,
      part.leads ? " ★" : "",
    );
    button.addEventListener("click", () => flip(part.name));
    return button;
  }

  function editButton(role, change, count) {
    const say = (change < 0 ? words.fewer : words.more)(words.roles[role]);
    const button = element(
      "button",
      { type: "button", class: "halab-map-step", "data-step": `${role} ${change}`, "aria-label": say },
      change < 0 ? "−" : "+",
    );
    const full = change < 0 ? count === 0 : count >= (role === "entry" ? 1 : MOST);
    button.setAttribute("aria-disabled", full); // not `disabled`: that would throw the keyboard's focus away
    button.addEventListener("click", () => {
      if (!full) edit(role, change);
    });
    return button;
  }

  function drawParts() {
    // Drawn anew, so the keyboard's place has to be found again.
    const held = rows.contains(document.activeElement) ? document.activeElement.dataset : {};
    const parts = model.get("parts");
    rows.replaceChildren(
      ...ROLES.map((role) => {
        const mine = parts.filter((part) => part.role === role);
        return element(
          "div",
          { class: "halab-map-row", role: "group", "aria-label": words.roles[role] },
          element("span", { class: "halab-map-role" }, words.roles[role]),
          element(
            "span",
            { class: "halab-map-parts" },
            ...(mine.length ? mine.map(partButton) : [element("em", {}, words.none)]),
          ),
          element(
            "span",
            { class: "halab-map-edit" },
            editButton(role, -1, mine.length),
            editButton(role, 1, mine.length),
          ),
        );
      }),
    );
    if (held.part) rows.querySelector(`[data-part="${held.part}"]`)?.focus();
    if (held.step) rows.querySelector(`[data-step="${held.step}"]`)?.focus();
    const changed = JSON.stringify(parts) !== original;
    source.textContent = model.get("source") + (changed ? ` (${words.edited})` : "");
  }

  function drawFates() {
    copies.textContent = String(model.get("copies"));
    const found = verdicts(model.get("facts"), model.get("parts"), model.get("down"), model.get("copies"));
    const why = model.get("lang") === "zh" ? "why_zh" : "why";
    fates.replaceChildren(
      ...found.map((one) =>
        element(
          "li",
          { "data-operation": one.operation, "data-fate": one.fate },
          shape(one.fate),
          element("strong", {}, words.operations[one.operation]),
          element("span", { class: "halab-map-fate" }, words.fates[one.fate]),
          element(
            "ul",
            {},
            ...one.because.map((fact) =>
              element("li", {}, `${words.roles[fact.role]}${words.colon}${fact[why]}`),
            ),
          ),
        ),
      ),
    );
    const count = { survives: 0, degrades: 0, stops: 0 };
    for (const one of found) count[one.fate] += 1;
    const said = words.said(count);
    announce(summary, said);
    reset.setAttribute("aria-disabled", model.get("down").length === 0);
  }

  function draw() {
    drawParts();
    drawFates();
  }
  const unwatch = watch(model, { parts: draw, down: draw, copies: drawFates });
  draw();
  return unwatch;
}

export default { render };
