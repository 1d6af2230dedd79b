// A knowledge card: prose, a language switch, and claims whose verdict is uncovered by a press or a measurement.

import { element, htmlLang, prepareHost, watch } from "./shared.js";

const WORDS = {
  en: {
    kicker: (n) => `Card ${n} of 10 · two minutes`,
    language: "Language of the card",
    claims: "What this card claims",
    about:
      "Every figure above is a claim. Predict and measure first; then press a claim to see how it stands.",
    untested: "claim, to be tested",
    measured: "Your run",
    leaves: "What it leaves out",
    sources: "Sources",
    colon: ": ",
    verdict: { true: "true", simplified: "simplified", outdated: "out of date" },
  },
  zh: {
    kicker: (n) => `第 ${n} 张，共 10 张 · 两分钟读完`,
    language: "卡片语言",
    claims: "这张卡片说了什么",
    about: "上面的每个数字都只是一种说法。先预测，再实测，然后点开看它站不站得住。",
    untested: "说法，待检验",
    measured: "你这次的结果",
    leaves: "它没说的",
    sources: "出处",
    colon: "：",
    verdict: { true: "属实", simplified: "简化了", outdated: "过时了" },
  },
};
// A shape for each verdict, so that colour is never the only sign.
const SHAPES = { true: "✓", simplified: "≈", outdated: "↺" };

function languageSwitch(model, words) {
  const group = element("div", {
    class: "halab-card-languages",
    role: "group",
    "aria-label": words.language,
  });
  for (const [lang, name] of [
    ["en", "EN"],
    ["zh", "中文"],
  ]) {
    const button = element(
      "button",
      { type: "button", lang, "aria-pressed": model.get("lang") === lang },
      name,
    );
    button.addEventListener("click", () => {
      model.set("lang", lang);
      model.save_changes();
    });
    group.append(button);
  }
  return group;
}

function verdict(claim, words, measured) {
  const box = element("div", { class: "halab-card-verdict" });
  if (measured) box.append(element("p", {}, element("b", {}, words.measured + words.colon), measured));
  box.append(element("p", {}, element("b", {}, words.leaves + words.colon), claim.leaves_out));
  const links = claim.sources.map((source) =>
    element("li", {}, element("a", { href: source.url, target: "_blank", rel: "noopener" }, source.title)),
  );
  box.append(element("p", {}, element("b", {}, words.sources)), element("ul", {}, ...links));
  return box;
}

function chip(claim, words, open, measured, toggle) {
  const shown = open.has(claim.id);
  const state = shown
    ? element(
        "span",
        { class: "halab-card-state", "data-verdict": claim.verdict },
        `${SHAPES[claim.verdict]} ${words.verdict[claim.verdict]}`,
      )
    : element("span", { class: "halab-card-state" }, `? ${words.untested}`);
  const button = element(
    "button",
    { type: "button", "data-claim": claim.id, "aria-expanded": shown },
    element("span", { class: "halab-card-figure" }, claim.figure),
    element("span", { class: "halab-card-quantity" }, claim.quantity),
    state,
  );
  button.addEventListener("click", () => toggle(claim.id));
  return element("li", {}, button, ...(shown ? [verdict(claim, words, measured)] : []));
}

function render({ model, el }) {
  prepareHost(el);
  const open = new Set(Object.keys(model.get("measured")));

  function draw() {
    const lang = model.get("lang");
    const words = WORDS[lang];
    const face = model.get("faces")[lang];
    const measured = model.get("measured");
    const focused = el.contains(document.activeElement) ? document.activeElement : null;
    const again =
      focused &&
      (focused.dataset.claim ? `[data-claim="${focused.dataset.claim}"]` : `button[lang="${focused.lang}"]`);

    const prose = element("div", { class: "halab-card-prose" });
    prose.innerHTML = face.html; // made by markdown-it with raw HTML switched off
    const toggle = (id) => {
      open.has(id) ? open.delete(id) : open.add(id);
      draw();
    };
    const chips = face.claims.map((claim) => chip(claim, words, open, measured[claim.id], toggle));
    const titles = element(
      "div",
      {},
      element("p", { class: "halab-card-kicker" }, words.kicker(model.get("number"))),
      element("h2", {}, face.title),
    );
    const card = element(
      "article",
      { class: "halab-widget halab-card", lang: htmlLang(model), "aria-label": face.title },
      element("header", {}, titles, languageSwitch(model, words)),
      prose,
      element(
        "section",
        { "aria-label": words.claims },
        element("h3", {}, words.claims),
        element("p", { class: "halab-card-about" }, words.about),
        element("ul", { class: "halab-card-claims" }, ...chips),
      ),
    );
    el.replaceChildren(card);
    if (again) el.querySelector(again)?.focus();
  }

  function results() {
    for (const id of Object.keys(model.get("measured"))) open.add(id);
    draw();
  }
  const unwatch = watch(model, { lang: draw, measured: results });
  draw();
  return unwatch;
}

export default { render };
