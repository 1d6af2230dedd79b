// Disasters against protections: ticks choose what one has, cells say what it does. An anywidget front-end module.
// Everything is worked out here, from the cells Python hands over; nothing runs on a timer.

import { announce, element, panel, slider, watch } from "./shared.js";

const SHAPES = { yes: "●", if: "◐", no: "✕" }; // a shape for each verdict, so that colour is never the only sign
const HOUR = 3600;

const WORDS = {
  en: {
    title: "What helps against what?",
    help: "Tick what you have. Choose a cell to read why.",
    interval: "Hours between two backups",
    disaster: "Disaster",
    best: "You get",
    rto: "RTO up to",
    rpo: "RPO up to",
    nothing: "nothing helps",
    condition: "on a condition",
    helps: { yes: "helps", if: "helps on a condition", no: "does not help" },
    colon: ": ",
    comma: ", ",
    assumed: "All times are assumptions: put your own drill's in their place.",
    said: (yes, some, no) => `${yes} of 8 answered, ${some} on a condition, ${no} not at all.`,
    units: (s) => (s === 0 ? "0" : s < 60 ? `${s} s` : s < HOUR ? `${s / 60} min` : `${s / HOUR} h`),
    names: {},
  },
  zh: {
    title: "什么防得住什么？",
    help: "勾上你有的办法。点一个格子，看看为什么。",
    interval: "两次备份间隔（小时）",
    disaster: "灾难",
    best: "结果",
    rto: "RTO 最多",
    rpo: "RPO 最多",
    nothing: "没有办法",
    condition: "有前提",
    helps: { yes: "管用", if: "有前提才管用", no: "不管用" },
    colon: "：",
    comma: "，",
    assumed: "时间都是假设：换成你自己演练出来的数字。",
    said: (yes, some, no) => `8 种灾难，${yes} 种防得住，${some} 种有前提，${no} 种没有办法。`,
    units: (s) => (s === 0 ? "0" : s < 60 ? `${s} 秒` : s < HOUR ? `${s / 60} 分钟` : `${s / HOUR} 小时`),
    names: {
      "node loss": "坏一个节点",
      "two nodes": "坏两个节点",
      rack: "整个机架",
      "wrong delete": "误删数据",
      "dropped collection": "误删集合",
      "bad release": "版本有毛病",
      ransomware: "勒索软件",
      "site loss": "整个机房",
      replicas: "多副本",
      standby: "灾备集群（CDC）",
      snapshots: "同一存储上的快照",
      backup: "备份",
      "off-site backup": "异地备份",
    },
  },
};

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

function render({ model, el }) {
  const words = WORDS[model.get("lang")];
  const named = (name) => words.names[name] ?? name;
  const cells = model.get("cells");
  const why = model.get("lang") === "zh" ? "why_zh" : "why";
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
          "aria-label": `${named(disaster)}${words.comma}${named(name)}${words.colon}${words.helps[cell.helps]}`,
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
      ? `${named(chosen.disaster)}${words.comma}${named(chosen.protection)}${words.colon}${words.helps[chosen.helps]}. ${chosen[why]}`.replace(
          ". ",
          model.get("lang") === "zh" ? "。" : ". ",
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
      what.textContent = `${SHAPES[one.helps]} ${one.protection ? named(one.protection) : words.nothing}${one.helps === "if" ? ` (${words.condition})` : ""}`;
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

export default { render };
