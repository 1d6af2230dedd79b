// The prediction form. What is locked in is kept by Python and shown as text, never as a field again.

import { element, htmlLang, labelled, operationWords, ownId, prepareHost, spoken, watch } from "./shared.js";

const wordsOf = ({ gettext, pgettext }) => ({
  title: gettext("Your prediction"),
  none: gettext("No search will fail"),
  who: gettext("What else fails?"),
  lock: gettext("Lock in"),
  locked: (when) => gettext("Locked in on {when}. It stays as it is; now measure.", { when }),
  tooLate: (when) =>
    gettext(
      "Too late for your run of {when}: it was measured first, so this is no prediction of it. It counts from your next run on: when it is locked in, run the lab's cell again.",
      { when },
    ),
  order: gettext("The last failure cannot come before the first."),
  operations: operationWords({ gettext }),
  notices: gettext("also fails"),
  nobody: pgettext("prediction", "nothing"),
  list: pgettext("between names", ", "),
});

/** A list to choose from; what counts is the place of what was chosen, and nothing is chosen at first. */
function choiceOf(field) {
  const options = field.choices.map((choice, place) => element("option", { value: String(place) }, choice));
  const input = element(
    "select",
    { name: field.key, required: true },
    element("option", { value: "" }, "—"),
    ...options,
  );
  return { row: labelled("halab-predict-field halab-predict-choice", field.label, input), input };
}

function inputOf(field) {
  if (field.choices.length > 0) return choiceOf(field);
  const input = element("input", {
    name: field.key,
    type: "number",
    min: String(field.low),
    max: field.high === null ? undefined : String(field.high),
    step: field.whole ? "1" : "any",
    required: true,
    inputmode: field.low < 0 ? "text" : "decimal",
  });
  const unit = element("span", { class: "halab-predict-unit", id: ownId() }, field.unit);
  if (field.unit) input.setAttribute("aria-describedby", unit.id);
  const row = labelled("halab-predict-field", field.label, input);
  row.append(unit);
  return { row, input };
}

/** The box of an outage's form that says that nothing fails: then no number is asked for. */
function noneOf(words, inputs) {
  const none = element("input", { type: "checkbox", name: "none" });
  none.addEventListener("change", () => {
    inputs.forEach((input) => {
      input.disabled = none.checked;
    });
  });
  return { none, row: element("label", { class: "halab-predict-none" }, none, ` ${words.none}`) };
}

/** What else may fail: a box for each operation. */
function alsoOf(model, words) {
  const boxes = model
    .get("operations")
    .map((name) => element("input", { type: "checkbox", name, value: name }));
  const labels = boxes.map((box) =>
    element("label", {}, box, ` ${words.operations[box.value] ?? box.value}`),
  );
  return { boxes, row: element("fieldset", {}, element("legend", {}, words.who), ...labels) };
}

function keepInOrder(first, last, words) {
  const inOrder = () =>
    last.setCustomValidity(first.value && last.value && +last.value < +first.value ? words.order : "");
  for (const input of [first, last]) input.addEventListener("input", inOrder);
}

function heading(model, words) {
  const run = model.get("heading");
  return element("h3", {}, words.title, ...(run ? [" ", element("code", {}, run)] : []));
}

const nameOf = (model, words) => [words.title, model.get("heading")].filter(Boolean).join(": ");

function form(model, words, late) {
  const fields = model.get("fields").map(inputOf);
  const inputs = fields.map((field) => field.input);
  const ofOutage = model.get("operations").length > 0;
  const { none, row: noneRow } = noneOf(words, inputs);
  const { boxes, row: alsoRow } = alsoOf(model, words);
  if (ofOutage) keepInOrder(inputs[0], inputs[1], words);
  const made = element(
    "form",
    { class: "halab-widget halab-predict", "aria-label": nameOf(model, words) },
    heading(model, words),
    ...late,
    ...fields.map((field) => field.row),
    ...(ofOutage ? [noneRow, alsoRow] : []),
    element("button", { type: "submit", class: "halab-main" }, words.lock),
    element("p", { class: "halab-problem", role: "alert" }, model.get("problem")),
  );
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    const numbers = none.checked
      ? { failed_requests: 0 }
      : Object.fromEntries(inputs.map((input) => [input.name, +input.value]));
    for (const box of boxes) numbers[`notices_${box.value}`] = box.checked ? 1 : 0;
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

const said = (field, number) =>
  field.choices[number] ?? [number, field.unit].filter((part) => part !== "").join(" ");

function locked(model, words, late) {
  const { numbers, time } = model.get("locked");
  const rows = model
    .get("fields")
    .filter((field) => field.key in numbers)
    .map((field) => [field.label, said(field, numbers[field.key])]);
  if (model.get("operations").some((name) => `notices_${name}` in numbers)) {
    const who = model.get("operations").filter((name) => numbers[`notices_${name}`]);
    rows.push([
      words.notices,
      who.map((name) => words.operations[name] ?? name).join(words.list) || words.nobody,
    ]);
  }
  return element(
    "section",
    { class: "halab-widget halab-predict", "aria-label": nameOf(model, words), tabindex: "-1" },
    heading(model, words),
    element(
      "dl",
      {},
      ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
    ),
    element("p", { class: "halab-predict-locked" }, words.locked(whenIs(model, time * 1000))),
    ...late,
  );
}

function whenIs(model, time) {
  const lang = model.get("lang");
  const locale = lang === "en" ? "en-GB" : lang; // the day before the month, as the course writes dates
  return new Date(time).toLocaleString(locale, { dateStyle: "long", timeStyle: "short" });
}

function render(model, el, speech) {
  prepareHost(model, el);
  const words = wordsOf(speech);
  function draw() {
    const wasHere = el.contains(document.activeElement);
    const run = model.get("too_late");
    const late = run
      ? [element("p", { class: "halab-predict-late" }, words.tooLate(whenIs(model, run)))]
      : [];
    el.replaceChildren((model.get("locked") ? locked : form)(model, words, late));
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

export default spoken(render);
