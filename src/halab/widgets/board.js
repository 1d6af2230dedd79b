// The board of ten cards and a lesson. Links are plain relative links; inside JupyterLab they open in place.

import { element, htmlLang, prepareHost, spoken } from "./shared.js";

const wordsOf = ({ gettext }) => ({
  board: gettext("The ten cards of the course, and lesson 12"),
  colon: gettext(": "),
  lesson: gettext("Lesson"),
  exercise: gettext("Exercise"),
  done: gettext("done"),
  todo: gettext("to do"),
  goal: (goal) => gettext("Goal: {goal}", { goal }),
  next: gettext("Next"),
  open: gettext("Open"),
  notes: gettext("Needs attention"),
  states: { new: gettext("not begun"), begun: gettext("begun"), done: gettext("done") },
  steps: (done, of) => gettext("{done} of {of} steps done.", { done, of }),
});

// `path` is from JupyterLab's root; the href is the same place seen from this notebook's folder, course/.
function link(label, path, of) {
  return element(
    "a",
    {
      href: `../${path}`,
      "aria-label": `${label}: ${of}`,
      "data-commandlinker-command": "docmanager:open",
      "data-commandlinker-args": JSON.stringify({ path }),
    },
    label,
  );
}

function factOf(fact, words) {
  const mark = element(
    "span",
    { class: "halab-board-mark", role: "img", "aria-label": fact.done ? words.done : words.todo },
    fact.done ? "✓" : "○",
  );
  return element(
    "li",
    { class: fact.done ? "halab-board-done" : "" },
    mark,
    element("span", {}, element("b", {}, fact.heading), words.colon + fact.text),
  );
}

// A sign for each state, so that colour is never the only one.
const SIGNS = { new: "○", begun: "◐", done: "✓" };

function tileOf(tile, words) {
  const facts = element(
    "ul",
    { class: "halab-board-facts" },
    ...tile.facts.map((fact) => factOf(fact, words)),
  );
  return element(
    "li",
    { class: "halab-board-tile", "data-state": tile.state },
    element(
      "div",
      { class: "halab-board-head" },
      element("span", { class: "halab-board-number", "aria-hidden": "true" }, String(tile.number)),
      element("h3", {}, tile.title),
      element("span", { class: "halab-board-state" }, `${SIGNS[tile.state]} ${words.states[tile.state]}`),
    ),
    element("p", {}, tile.summary),
    element("p", { class: "halab-board-goal" }, words.goal(tile.checklist)),
    ...(tile.state === "new" ? [] : [facts]), // of what was not begun there is nothing to tell
    element(
      "p",
      { class: "halab-board-links" },
      link(words.lesson, tile.lesson, tile.title),
      link(words.exercise, tile.exercise, tile.title),
    ),
  );
}

function progressOf(model, words) {
  const [done, of] = model.get("steps");
  const text = words.steps(done, of);
  return element(
    "div",
    { class: "halab-board-progress" },
    element("progress", { value: String(done), max: String(of), "aria-label": text }),
    element("b", {}, text),
    element("span", {}, model.get("items")),
  );
}

function summary(model, words) {
  const step = model.get("step");
  const next = element("p", {}, element("b", {}, words.next + words.colon), step.text);
  const open = step.path ? [link(words.open, step.path, step.text)] : [];
  const parts = [element("div", { class: "halab-board-next" }, next, ...open), progressOf(model, words)];
  if (model.get("notes").length) {
    parts.push(
      element(
        "div",
        { class: "halab-board-notes" },
        element("b", {}, words.notes),
        element("ul", {}, ...model.get("notes").map((note) => element("li", {}, note))),
      ),
    );
  }
  return element("div", { class: "halab-board-summary" }, ...parts);
}

function render(model, el, speech) {
  prepareHost(model, el);
  const words = wordsOf(speech);
  el.lang = htmlLang(model);
  el.replaceChildren(
    summary(model, words),
    element(
      "ol",
      { class: "halab-board", "aria-label": words.board },
      ...model.get("tiles").map((tile) => tileOf(tile, words)),
    ),
  );
}

export default spoken(render);
