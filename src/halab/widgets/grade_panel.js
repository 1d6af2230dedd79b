// The grade button: saves the notebook, shows how far grading is, then points by task and hints on demand.

import { announce, element, panel, spoken, watch } from "./shared.js";

const wordsOf = ({ gettext, pgettext }) => ({
  title: (card) => gettext("Grade exercise {card}", { card }),
  button: gettext("Grade my notebook"),
  again: gettext("Grade again"),
  idle: gettext(
    "Saves the notebook, runs your copy from top to bottom, and takes a few seconds, on a busy machine longer.",
  ),
  waiting: gettext("Waiting for the kernel: a cell is still running."),
  saving: gettext("Saving the notebook …"),
  grading: (share) =>
    gettext("Running your copy and its checks … {share} %. A busy machine takes longer.", { share }),
  points: (points, of) => gettext("{points} of {of} points", { points, of }),
  allPoints: (points, of) => gettext("{points} of {of} points. All points. Well done.", { points, of }),
  failed: gettext("It could not be graded."),
  unsaved: gettext(
    "JupyterLab did not save the notebook, so this is the grade of what was saved last. If you have changed something since, save (Ctrl+S or ⌘S) and grade again.",
  ),
  next: gettext("What is next"),
  onwards: gettext("The next lesson by number (halab progress says what is left of those before)"),
  mend: (task) =>
    gettext(
      "Look at what task {task} still misses, change its answer, run the cells below the answer, and press “Grade again”. Stuck? Press “Hint”.",
      { task },
    ),
  lesson: (title) => gettext("Lesson: {title}", { title }),
  start: gettext("Start page: what is still missing for the certificate"),
  task: (task) => gettext("Task {task}", { task }),
  check: pgettext("column", "Check"),
  pointsHead: gettext("Points"),
  passed: gettext("passed"),
  missed: pgettext("check", "not yet"),
  hint: (task) => gettext("Hint for task {task}", { task }),
  steps: [gettext("What is wrong"), gettext("Which card says it"), gettext("Where to look")],
  nextHint: (number, of) => gettext("Next hint ({number} of {of})", { number, of }),
  first: gettext("Hint"),
  last: gettext("That was the last hint"),
  note: gettext("Note"),
  what: gettext("What to do"),
  handIn: gettext("Hand in"),
  handInHelp: gettext(
    "Saves the notebook and packs all your exercises and measurements into one file for your instructor.",
  ),
  packing: gettext("Packing …"),
  download: gettext("Download the file"),
  colon: gettext(": "),
});

const number = (value) => String(Math.round(value * 100) / 100);

function checkRow(check, words) {
  const mark = element(
    "span",
    { class: "halab-grade-mark", role: "img", "aria-label": check.passed ? words.passed : words.missed },
    check.passed ? "✓" : "✗",
  );
  const title = element("div", { class: "halab-grade-check" }, mark, element("span", {}, check.title));
  if (!check.passed)
    title.lastChild.append(element("span", { class: "halab-grade-behaviour" }, ...prose(check.behaviour)));
  return element(
    "tr",
    { class: check.passed ? "halab-grade-passed" : "halab-grade-missed" },
    element("td", {}, title),
    element("td", { class: "halab-grade-number" }, `${number(check.points)} / ${number(check.out_of)}`),
  );
}

// The first task that misses something, or the way on. JupyterLab opens the link in place.
function nextStep(tasks, { path, title }, words) {
  const open = tasks.find((task) => task.points < task.out_of);
  const attributes = {
    href: `../../${path}`,
    "data-commandlinker-command": "docmanager:open",
    "data-commandlinker-args": JSON.stringify({ path }),
  };
  const step = open
    ? words.mend(open.task)
    : element("a", attributes, title ? words.lesson(title) : words.start);
  const heading = open ? words.next : words.onwards;
  return element("p", { class: "halab-grade-next" }, element("b", {}, heading + words.colon), step);
}

// A task's rows. What its hint says is put in by `drawHint`, so that asking for one moves nothing else.
function taskRows(task, model, words) {
  const body = element(
    "tbody",
    {},
    element(
      "tr",
      { class: "halab-grade-task" },
      element("th", { scope: "rowgroup" }, words.task(task.task)),
      element("td", { class: "halab-grade-number" }, `${number(task.points)} / ${number(task.out_of)}`),
    ),
    ...task.checks.map((check) => checkRow(check, words)),
  );
  if (task.checks.some((check) => !check.passed)) {
    const button = element("button", { type: "button", "data-task": task.task });
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") model.send({ hint: task.task });
    });
    body.append(
      element(
        "tr",
        {},
        element(
          "td",
          { colspan: "2" },
          element("div", { class: "halab-grade-hints", "aria-live": "polite", "data-task": task.task }),
          button,
        ),
      ),
    );
  }
  return body;
}

// What stands between backticks is code.
const prose = (text) => text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));

function drawHint(place, button, told, words) {
  const task = button.dataset.task;
  const steps = told?.steps ?? [];
  place.replaceChildren(
    ...steps.map((step, index) =>
      element("p", {}, element("b", {}, words.steps[index] + words.colon), ...prose(step)),
    ),
    ...(told?.problem ? [element("p", {}, told.problem)] : []),
  );
  const over = steps.length > 0 && steps.length === told.of;
  button.textContent = over
    ? words.last
    : steps.length
      ? words.nextHint(steps.length + 1, told.of)
      : words.first;
  button.setAttribute(
    "aria-label",
    over ? button.textContent : `${words.hint(task)}${words.colon}${button.textContent}`,
  );
  // Not `disabled`: that would throw the keyboard's focus away.
  button.setAttribute("aria-disabled", over);
}

// Where Jupyter's server has a file of the learner's folder; beside the notebook where the page does not say.
function fileAddress(path) {
  const page = document.getElementById("jupyter-config-data");
  const base = page ? JSON.parse(page.textContent).baseUrl : "../../../../";
  return `${base}files/${path.split("/").map(encodeURIComponent).join("/")}?download=1`;
}

function render(model, el, speech) {
  const words = wordsOf(speech);

  const button = element("button", { type: "button", class: "halab-main halab-grade-button" });
  const status = element("p", { class: "halab-grade-status", role: "status" });
  const bar = element("progress", { max: "1", "aria-label": words.title(model.get("card")) });
  const body = element("div", { class: "halab-grade-body" });
  const handIn = element("button", { type: "button", title: words.handInHelp }, words.handIn);
  const handedIn = element("p", { class: "halab-grade-handed-in", "aria-live": "polite" });
  panel(
    model,
    el,
    "halab-grade",
    words.title(model.get("card")),
    element("div", { class: "halab-top" }, button, handIn, bar, status),
    handedIn,
    body,
  );

  // Not by a link that runs JupyterLab's command: where a cell is not trusted, one just pasted say, that asks first.
  // Whether it worked, Python sees.
  const save = () => model.widget_manager.context?.save().catch(() => {});

  const busy = () => ["saving", "grading"].includes(model.get("state"));
  let pressed = false; // and the kernel has not answered yet
  let slowTimer;
  button.addEventListener("click", () => {
    if (pressed || busy()) return;
    pressed = true;
    model.send({ grade: model.get("card") });
    slowTimer = setTimeout(drawTop, 700);
  });

  handIn.addEventListener("click", async () => {
    announce(handedIn, words.packing);
    await save();
    model.send({ hand_in: true });
  });

  function drawHandedIn() {
    const { said, path } = model.get("handed_in");
    if (!said) return;
    announce(handedIn, said);
    if (path) handedIn.append(" ", element("a", { href: fileAddress(path), download: "" }, words.download));
  }

  function drawTop() {
    const state = model.get("state");
    button.textContent = state === "graded" || state === "failed" ? words.again : words.button;
    // Not `disabled`: that would throw the keyboard's focus away.
    button.setAttribute("aria-disabled", pressed || busy());
    bar.hidden = state !== "grading";
    bar.value = model.get("share");
    const { points, out_of: of } = model.get("report");
    const text = pressed
      ? words.waiting
      : {
          idle: words.idle,
          saving: words.saving,
          failed: words.failed,
          grading: words.grading(Math.round(model.get("share") * 100)),
          graded: (points === of ? words.allPoints : words.points)(number(points ?? 0), number(of ?? 0)),
        }[state];
    status.setAttribute("aria-live", state === "grading" ? "off" : "polite");
    status.classList.toggle("halab-grade-result", state === "graded" && !pressed);
    announce(status, text);
  }

  function drawBody() {
    const state = model.get("state");
    if (state === "failed") {
      const { message, hint } = model.get("problem");
      body.replaceChildren(
        element(
          "div",
          { class: "halab-problem", role: "alert" },
          element("p", {}, message),
          ...(hint ? [element("p", {}, element("b", {}, words.what + words.colon), hint)] : []),
        ),
      );
    } else if (state === "graded") {
      const { tasks, notes, following } = model.get("report");
      const said = [...(model.get("saved") ? [] : [words.unsaved]), ...notes];
      body.replaceChildren(
        ...said.map((note) =>
          element("p", { class: "halab-grade-note" }, element("b", {}, words.note + words.colon), note),
        ),
        nextStep(tasks, following, words),
        element(
          "table",
          {},
          element(
            "thead",
            {},
            element(
              "tr",
              {},
              element("th", { scope: "col" }, words.check),
              element("th", { scope: "col", class: "halab-grade-number" }, words.pointsHead),
            ),
          ),
          ...tasks.map((task) => taskRows(task, model, words)),
        ),
      );
      drawHints();
    }
  }

  function drawHints() {
    for (const place of body.querySelectorAll(".halab-grade-hints")) {
      const told = model.get("hints")[place.dataset.task];
      drawHint(place, place.nextElementSibling, told, words);
    }
  }

  function changed() {
    pressed = false;
    clearTimeout(slowTimer);
    drawTop();
    drawBody();
    if (model.get("state") === "saving") save();
  }

  const unwatch = watch(model, { state: changed, share: drawTop, hints: drawHints, handed_in: drawHandedIn });
  drawTop();
  drawBody();
  drawHandedIn();
  return () => {
    clearTimeout(slowTimer);
    unwatch();
  };
}

export default spoken(render);
