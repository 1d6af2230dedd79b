// The board of ten cards. Links are plain relative links; inside JupyterLab they open in place.

const WORDS = {
  en: {
    board: "The ten cards of the course",
    lesson: "Lesson", exercise: "Exercise", coming: "coming", noLesson: "The lesson is not written yet.",
    steps: { opened: "lesson opened", predicted: "predicted", measured: "measured" },
    graded: (points, most) => `exercise: ${points} of ${most} points`, ungraded: "exercise: not graded yet",
    done: "done", todo: "to do", goal: "Goal:",
  },
  zh: {
    board: "本课程的十张卡片",
    lesson: "课程", exercise: "练习", coming: "尚未推出", noLesson: "这一课还没有写好。",
    steps: { opened: "看过课程", predicted: "做过预测", measured: "测过" },
    graded: (points, most) => `练习：${points} 分，满分 ${most} 分`, ungraded: "练习：还没有评分",
    done: "已完成", todo: "待完成", goal: "目标：",
  },
};

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// `path` is from JupyterLab's root; the href is the same place seen from this notebook's folder, course/.
function link(label, path, of) {
  return element("a", {
    href: `../${path}`,
    "aria-label": `${label}: ${of}`,
    "data-commandlinker-command": "docmanager:open",
    "data-commandlinker-args": JSON.stringify({ path }),
  }, label);
}

function step(isDone, label, words) {
  const mark = element("span", { class: "halab-board-mark", role: "img", "aria-label": isDone ? words.done : words.todo },
    isDone ? "✓" : "○");
  return element("li", { class: isDone ? "halab-board-done" : "" }, mark, ` ${label}`);
}

function steps(tile, words) {
  const rows = Object.entries(words.steps).map(([key, label]) => step(tile[key], label, words));
  if (tile.exercise) {
    const graded = tile.points !== null;
    const full = graded && tile.points >= tile.max_points;
    rows.push(step(full, graded ? words.graded(tile.points, tile.max_points) : words.ungraded, words));
  }
  return element("ul", { class: "halab-board-steps" }, ...rows);
}

function tileOf(tile, words) {
  const box = element("li", { class: tile.lesson ? "halab-board-tile" : "halab-board-tile halab-board-coming" },
    element("div", { class: "halab-board-head" },
      element("span", { class: "halab-board-number", "aria-hidden": "true" }, String(tile.number)),
      element("h3", {}, tile.title),
      ...(tile.lesson ? [] : [element("span", { class: "halab-board-badge", title: words.noLesson }, words.coming)])),
    element("p", {}, tile.summary));
  if (tile.lesson) {
    const links = [link(words.lesson, tile.lesson, tile.title)];
    if (tile.exercise) links.push(link(words.exercise, tile.exercise, tile.title));
    box.append(element("p", { class: "halab-board-goal" }, `${words.goal} ${tile.checklist}`), steps(tile, words),
      element("p", { class: "halab-board-links" }, ...links));
  }
  return box;
}

function render({ model, el }) {
  el.classList.add("halab-board-host");
  el.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes keys pressed here for its own shortcuts
  function draw() {
    const words = WORDS[model.get("lang")];
    el.replaceChildren(element("ol", {
      class: "halab-board", lang: model.get("lang") === "zh" ? "zh-Hans" : "en", "aria-label": words.board,
    }, ...model.get("tiles").map((tile) => tileOf(tile, words))));
  }
  model.on("change:tiles", draw);
  draw();
  return () => model.off("change:tiles", draw);
}

export default { render };
