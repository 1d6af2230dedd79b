// The prediction form. What is locked in is kept by Python and shown as text, never as a field again.

import { element, htmlLang, labelled, prepareHost, watch } from "./shared.js";

const WORDS = {
  en: {
    title: "Your prediction",
    none: "No search will fail",
    first: "First failed search, seconds after the fault",
    last: "Last failed search, seconds after the fault",
    failed: "Failed searches (20 are sent each second)",
    who: "What else fails?",
    lock: "Lock in",
    locked: (when) => `Locked in on ${when}. It stays as it is; now measure.`,
    order: "The last failure cannot come before the first.",
    operations: { search: "search" },
    names: {
      first_failure: "first failed search",
      last_failure: "last failed search",
      failed_requests: "failed searches",
    },
    notices: "also fails",
    nobody: "nothing",
    seconds: "s",
    list: ", ",
  },
  zh: {
    title: "你的预测",
    none: "不会有搜索失败",
    first: "第一次搜索失败，在故障后多少秒",
    last: "最后一次搜索失败，在故障后多少秒",
    failed: "失败的搜索次数（每秒发出 20 次）",
    who: "还有哪些操作会失败？",
    lock: "就这么定",
    locked: (when) => `${when} 已锁定，不能再改。现在去实测吧。`,
    order: "最后一次失败不能早于第一次。",
    operations: {
      search: "搜索",
      "strong search": "强一致搜索",
      insert: "插入",
      "metadata call": "元数据操作",
    },
    names: {
      first_failure: "第一次搜索失败",
      last_failure: "最后一次搜索失败",
      failed_requests: "失败的搜索次数",
    },
    notices: "一同失败的操作",
    nobody: "没有",
    seconds: "秒",
    list: "、",
  },
};

function field(name, label, step) {
  const input = element("input", {
    name,
    type: "number",
    min: "0",
    step,
    required: true,
    inputmode: "decimal",
  });
  return labelled("halab-predict-field", label, input);
}

function form(model, words) {
  const fields = [
    field("first_failure", words.first, "any"),
    field("last_failure", words.last, "any"),
    field("failed_requests", words.failed, "1"),
  ];
  const inputs = fields.map((one) => one.querySelector("input"));
  const boxes = model
    .get("operations")
    .map((name) =>
      element(
        "label",
        {},
        element("input", { type: "checkbox", name, value: name }),
        ` ${words.operations[name] ?? name}`,
      ),
    );
  const none = element("input", { type: "checkbox", name: "none" });
  const problem = element("p", { class: "halab-problem", role: "alert" }, model.get("problem"));
  const made = element(
    "form",
    { class: "halab-widget halab-predict", "aria-label": `${words.title}: ${model.get("experiment")}` },
    element("h3", {}, words.title, " ", element("code", {}, model.get("experiment"))),
    ...fields,
    element("label", { class: "halab-predict-none" }, none, ` ${words.none}`),
    element("fieldset", {}, element("legend", {}, words.who), ...boxes),
    element("button", { type: "submit", class: "halab-main" }, words.lock),
    problem,
  );

  const [first, last] = inputs;
  const inOrder = () =>
    last.setCustomValidity(first.value && last.value && +last.value < +first.value ? words.order : "");
  for (const input of [first, last]) input.addEventListener("input", inOrder);
  none.addEventListener("change", () => {
    inputs.forEach((input) => {
      input.disabled = none.checked;
    });
  });
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    const numbers = none.checked
      ? { failed_requests: 0 }
      : Object.fromEntries(inputs.map((input) => [input.name, +input.value]));
    boxes.forEach((box) => {
      numbers[`notices_${box.firstChild.value}`] = box.firstChild.checked ? 1 : 0;
    });
    model.send({ lock: numbers });
  });
  // JupyterLab keeps the browser from sending a form on Enter, so it is done here.
  for (const input of inputs) {
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      made.requestSubmit();
    });
  }
  return made;
}

function locked(model, words) {
  const { numbers, time } = model.get("locked");
  const rows = Object.entries(words.names)
    .filter(([name]) => name in numbers)
    .map(([name, label]) => [
      label,
      name === "failed_requests" ? String(numbers[name]) : `${numbers[name]} ${words.seconds}`,
    ]);
  if (model.get("operations").some((name) => `notices_${name}` in numbers)) {
    const who = model.get("operations").filter((name) => numbers[`notices_${name}`]);
    rows.push([
      words.notices,
      who.map((name) => words.operations[name] ?? name).join(words.list) || words.nobody,
    ]);
  }
  const locale = model.get("lang") === "zh" ? "zh-CN" : "en-GB";
  const when = new Date(time * 1000).toLocaleString(locale, { dateStyle: "long", timeStyle: "short" });
  return element(
    "section",
    {
      class: "halab-widget halab-predict",
      "aria-label": `${words.title}: ${model.get("experiment")}`,
      tabindex: "-1",
    },
    element("h3", {}, words.title, " ", element("code", {}, model.get("experiment"))),
    element(
      "dl",
      {},
      ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
    ),
    element("p", { class: "halab-predict-locked" }, words.locked(when)),
  );
}

function render({ model, el }) {
  prepareHost(el);
  const words = WORDS[model.get("lang")];
  function draw() {
    const wasHere = el.contains(document.activeElement);
    el.replaceChildren(model.get("locked") ? locked(model, words) : form(model, words));
    el.firstChild.lang = htmlLang(model);
    if (wasHere) el.firstChild.focus();
  }
  const complain = () => {
    const place = el.querySelector(".halab-problem");
    if (place) place.textContent = model.get("problem");
  };
  const unwatch = watch(model, { locked: draw, problem: complain });
  draw();
  return unwatch;
}

export default { render };
