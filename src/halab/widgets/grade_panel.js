// The grade button: saves the notebook, shows how far grading is, then points by task and hints on demand.

import { announce, element, panel, watch } from "./shared.js";

const WORDS = {
  en: {
    title: (card) => `Grade exercise ${card}`,
    button: "Grade my notebook",
    again: "Grade again",
    idle: "Saves the notebook, runs your copy from top to bottom, and takes a few seconds.",
    waiting: "Waiting for the kernel: a cell is still running.",
    saving: "Saving the notebook …",
    grading: (share) => `Grading … ${share} %`,
    points: (points, of) => `${points} of ${of} points`,
    full: "All points. Well done.",
    failed: "It could not be graded.",
    unsaved:
      "JupyterLab did not save the notebook, so this is the grade of what was saved last. If you have changed something since, save (Ctrl+S or ⌘S) and grade again.",
    next: "What is next",
    onwards: "The next lesson by number (halab progress says what is left of those before)",
    mend: (task) =>
      `Look at what task ${task} still misses, change its answer, run the cells below the answer, and press “Grade again”. Stuck? Press “Hint”.`,
    lesson: (title) => `Lesson: ${title}`,
    start: "Start page: what is still missing for the certificate",
    task: (task) => `Task ${task}`,
    check: "Check",
    pointsHead: "Points",
    passed: "passed",
    missed: "not yet",
    hint: (task) => `Hint for task ${task}`,
    steps: ["What is wrong", "Which card says it", "Where to look"],
    nextHint: (number, of) => `Next hint (${number} of ${of})`,
    first: "Hint",
    last: "That was the last hint",
    note: "Note",
    what: "What to do",
    handIn: "Hand in",
    handInHelp:
      "Saves the notebook and packs all your exercises and measurements into one file for your instructor.",
    packing: "Packing …",
    download: "Download the file",
    colon: ": ",
  },
  zh: {
    title: (card) => `给练习 ${card} 评分`,
    button: "给我的笔记本评分",
    again: "再评一次",
    idle: "先保存笔记本，再从头到尾运行你的副本，需要几秒钟。",
    waiting: "正在等待内核：还有单元格在运行。",
    saving: "正在保存笔记本……",
    grading: (share) => `正在评分…… ${share} %`,
    points: (points, of) => `得 ${points} 分，满分 ${of} 分`,
    full: "满分，做得好。",
    failed: "没能评分。",
    unsaved:
      "JupyterLab 没有保存笔记本，所以这是上一次保存的内容的得分。如果之后又改过，请先保存（Ctrl+S 或 ⌘S），再评一次。",
    next: "下一步",
    onwards: "按顺序的下一课（前面还缺什么，看 halab progress）",
    mend: (task) =>
      `先看任务 ${task} 还差什么，改好答案，运行答案下面的单元格，再点“再评一次”。没有头绪就点“提示”。`,
    lesson: (title) => `课程：${title}`,
    start: "起始页：看看拿证书还差什么",
    task: (task) => `任务 ${task}`,
    check: "检查项",
    pointsHead: "得分",
    passed: "通过",
    missed: "尚未通过",
    hint: (task) => `任务 ${task} 的提示`,
    steps: ["哪里不对", "哪张卡片讲过", "该看哪里"],
    nextHint: (number, of) => `下一条提示（${number}/${of}）`,
    first: "提示",
    last: "提示已经全部给出",
    note: "注意",
    what: "怎么办",
    handIn: "提交",
    handInHelp: "先保存笔记本，再把所有练习和实测日志打包成一个文件，交给讲师。",
    packing: "正在打包……",
    download: "下载这个文件",
    colon: "：",
  },
};

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

function render({ model, el }) {
  const words = WORDS[model.get("lang")];

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
          graded: `${words.points(number(points ?? 0), number(of ?? 0))}${points === of ? `. ${words.full}` : ""}`,
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

export default { render };
