// A knowledge card: prose, a language switch, and claims whose verdict is uncovered by a press or a measurement.

import { element, prepareHost, speechOf, spoken, svg, watch } from "./shared.js";

const wordsOf = ({ gettext }) => ({
  kicker: (n) => gettext("Card {n} of 10 · two minutes", { n }),
  language: gettext("Language of the card"),
  claims: gettext("What this card claims"),
  about: gettext(
    "Every figure above is a claim. Predict and measure first; then press a claim to see how it stands.",
  ),
  aboutBoth: gettext(
    "Of a claim that you tested stands first what your own run says to it, then what is known of Milvus from its documentation and source, whatever you measured.",
  ),
  untested: gettext("claim, to be tested"),
  measured: gettext("Your run"),
  leaves: gettext("What it leaves out"),
  sources: gettext("Sources"),
  colon: gettext(": "),
  verdict: {
    true: gettext("true"),
    simplified: gettext("simplified"),
    outdated: gettext("out of date"),
    wrong: gettext("not so in Milvus"),
    given: gettext("given, no claim"),
  },
  run: {
    held: () => gettext("held"),
    broken: (by) => gettext("broken by: {by}", { by }),
    incomparable: () => gettext("not comparable here"),
    unproven: () => gettext("your run proved nothing"),
    missing: () => gettext("not tested by you yet"),
  },
  tested: gettext("Put to the test in this lesson"),
  compared: gettext("Beside your runs, which can neither prove nor break them"),
  untestable: gettext("Not tested in this lesson"),
  times: [
    [86400, gettext("d")],
    [3600, gettext("h")],
    [60, gettext("min")],
    [1, gettext("s")],
  ],
  card: gettext("card"),
  you: gettext("you said"),
  you_measured: gettext("measured"),
});
// A shape for each verdict, so that colour is never the only sign.
const SHAPES = { true: "✓", simplified: "≈", outdated: "↺", wrong: "✕", given: "=" };
const RUN_SHAPES = { held: "✓", broken: "✕", incomparable: "≠", unproven: "?", missing: "?" };

function languageSwitch(model, words) {
  const group = element("div", {
    class: "halab-card-languages",
    role: "group",
    "aria-label": words.language,
  });
  for (const [lang, { name }] of Object.entries(model.get("faces"))) {
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

/** A scale from 0 or the least, or by powers of ten if far apart; gives the place of a figure in pixels. */
function scaleOf(figures, left, width) {
  const top = Math.max(...figures) || 1;
  const least = Math.min(...figures.filter((figure) => figure > 0));
  if (top / least > 50 && Math.min(...figures) > 0) {
    const [from, to] = [Math.log(least) - 0.5, Math.log(top) + 0.2];
    return (figure) => left + (width * (Math.log(figure) - from)) / (to - from);
  }
  const from = Math.min(0, ...figures);
  return (figure) => left + (width * (figure - from)) / ((top - from) * 1.1);
}

const rounded = (figure) => String(Number(figure.toPrecision(3)));

/** A figure with its unit; times in the largest unit of which they are at least one. */
function figureText(figure, claim, words) {
  if (claim.seconds === null) return `${rounded(figure)} ${claim.unit}`;
  const seconds = figure * claim.seconds;
  const [size, name] = words.times.find(([size]) => Math.abs(seconds) >= size) ?? words.times.at(-1);
  return `${rounded(seconds / size)} ${name}`;
}

const spanText = (figures, claim, words) =>
  [...new Set([Math.min(...figures), Math.max(...figures)])]
    .map((figure) => figureText(figure, claim, words))
    .join(" – ");

/** Card, prediction and measurement on one axis: bar, diamond, dot, each with its figure. */
function pictureOf(claim, found, words) {
  const rows = [
    [words.card, [claim.low, claim.high]],
    [words.you, found.predicted],
    [words.you_measured, found.measured],
  ].filter(([, figures]) => figures.length);
  const [left, width, step] = [84, 220, 22]; // right of it a range of two figures finds room
  const at = scaleOf(
    rows.flatMap(([, figures]) => figures),
    left,
    width,
  );
  const marks = {
    [words.card]: (x, y) =>
      svg("path", { d: `M${x} ${y - 6}v12`, class: "halab-card-bar", "stroke-width": 4 }),
    [words.you]: (x, y) => svg("path", { d: `M${x} ${y - 6}l6 6l-6 6l-6-6z`, class: "halab-card-predicted" }),
    [words.you_measured]: (x, y) => svg("circle", { cx: x, cy: y, r: 5, class: "halab-card-dot" }),
  };
  const parts = rows.flatMap(([name, figures], row) => {
    const y = 14 + row * step;
    const [low, high] = [at(Math.min(...figures)), at(Math.max(...figures))];
    return [
      svg("text", { x: left - 10, y: y + 4, "text-anchor": "end" }, name),
      svg("path", { d: `M${left} ${y}h${width}`, class: "halab-card-axis" }),
      ...(name === words.card && high > low
        ? [svg("path", { d: `M${low} ${y}H${high}`, class: "halab-card-bar", "stroke-width": 8 })]
        : figures.map((figure) => marks[name](at(figure), y))),
      svg("text", { x: left + width + 10, y: y + 4 }, spanText(figures, claim, words)),
    ];
  });
  const alt = rows.map(([name, figures]) => `${name} ${spanText(figures, claim, words)}`).join("; ");
  const height = rows.length * step + 6;
  return svg(
    "svg",
    { class: "halab-card-picture", role: "img", "aria-label": alt, viewBox: `0 0 560 ${height}`, width: 560 },
    ...parts,
  );
}

function findingOf(claim, words, found, lang) {
  const parts = [
    element("p", {}, element("b", {}, words.measured + words.colon), found.words[lang] ?? found.words.en),
  ];
  // Figures that cannot be compared do not belong on one axis: their words say what each is.
  if (found.measured.length && found.verdict !== "incomparable") parts.push(pictureOf(claim, found, words));
  return parts;
}

function verdict(claim, words, found, lang) {
  const box = element("div", { class: "halab-card-verdict" });
  if (found) box.append(...findingOf(claim, words, found, lang));
  box.append(element("p", {}, element("b", {}, words.leaves + words.colon), claim.leaves_out));
  const links = claim.sources.map((source) =>
    element("li", {}, element("a", { href: source.url, target: "_blank", rel: "noopener" }, source.title)),
  );
  box.append(element("p", {}, element("b", {}, words.sources)), element("ul", {}, ...links));
  return box;
}

const state = (attribute, verdict, shape, text) =>
  element("span", { class: "halab-card-state", [attribute]: verdict }, `${shape} ${text}`);

/** What is said of a claim that is uncovered: by the learner's run first, then by the course. */
function statesOf(claim, words, found, after, lang) {
  const own = found?.verdict || (after && claim.tested && !found ? "missing" : "");
  const states = [state("data-verdict", claim.verdict, SHAPES[claim.verdict], words.verdict[claim.verdict])];
  if (own) states.unshift(state("data-run", own, RUN_SHAPES[own], words.run[own](found?.by?.[lang])));
  return states;
}

function chip(claim, words, { shown, seen }, found, model, toggle) {
  const lang = model.get("lang");
  const states = seen
    ? statesOf(claim, words, found, model.get("after"), lang)
    : [element("span", { class: "halab-card-state" }, `? ${words.untested}`)];
  const button = element(
    "button",
    { type: "button", "data-claim": claim.id, "aria-expanded": shown },
    element("span", { class: "halab-card-figure" }, claim.figure),
    element("span", { class: "halab-card-quantity" }, claim.quantity),
    element("span", { class: "halab-card-states" }, ...states),
  );
  button.addEventListener("click", () => toggle(claim.id));
  return element("li", {}, button, ...(shown ? [verdict(claim, words, found, lang)] : []));
}

/** The claims that the lesson tests, and apart from them those that it does not. */
function claimLists(claims, words, measured, draw) {
  const [tested, untested] = [true, false].map((which) => claims.filter((claim) => claim.tested === which));
  const undecidable = tested.every(({ id }) => measured[id]?.verdict === "incomparable");
  return [
    [undecidable ? words.compared : words.tested, tested],
    [words.untestable, untested],
  ]
    .filter(([, group]) => group.length)
    .flatMap(([title, group]) => [
      element("h4", {}, title),
      element("ul", { class: "halab-card-claims" }, ...group.map(draw)),
    ]);
}

function render(model, el) {
  prepareHost(model, el);
  const open = new Set(Object.keys(model.get("measured")));
  const uncovered = new Set(open); // a verdict that was seen stays, also when its details are folded

  function draw() {
    const lang = model.get("lang");
    const face = model.get("faces")[lang];
    const words = wordsOf(speechOf(face.speech)); // with the card, so that its switch needs no kernel
    const measured = model.get("measured");
    const focused = el.contains(document.activeElement) ? document.activeElement : null;
    const again =
      focused &&
      (focused.dataset.claim ? `[data-claim="${focused.dataset.claim}"]` : `button[lang="${focused.lang}"]`);

    const prose = element("div", { class: "halab-card-prose" });
    prose.innerHTML = face.html; // made by markdown-it with raw HTML switched off
    const toggle = (id) => {
      open.has(id) ? open.delete(id) : open.add(id);
      uncovered.add(id);
      draw();
    };
    const drawn = (claim) => {
      const how = { shown: open.has(claim.id), seen: uncovered.has(claim.id) };
      return chip(claim, words, how, measured[claim.id], model, toggle);
    };
    const titles = element(
      "div",
      {},
      element("p", { class: "halab-card-kicker" }, words.kicker(model.get("number"))),
      element("h2", {}, face.title),
    );
    const card = element(
      "article",
      { class: "halab-widget halab-card", lang: face.html_lang, "aria-label": face.title },
      element("header", {}, titles, languageSwitch(model, words)),
      prose,
      element(
        "section",
        { "aria-label": words.claims },
        element("h3", {}, words.claims),
        element("p", { class: "halab-card-about" }, model.get("after") ? words.aboutBoth : words.about),
        ...claimLists(face.claims, words, measured, drawn),
      ),
    );
    el.replaceChildren(card);
    if (again) el.querySelector(again)?.focus();
  }

  function results() {
    for (const id of Object.keys(model.get("measured"))) {
      open.add(id);
      uncovered.add(id);
    }
    draw();
  }
  const unwatch = watch(model, { lang: draw, measured: results });
  draw();
  return unwatch;
}

export default spoken(render);
