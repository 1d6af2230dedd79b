// The architecture map: a cluster's parts by layer, and what stands or falls with the one that is selected.
// Python sends what there is; nothing here runs on a timer.

import {
  announce,
  componentWords,
  element,
  operationWords,
  panel,
  spoken,
  watch,
  watchSight,
} from "./shared.js";

const wordsOf = ({ gettext, pgettext, sentences }) => ({
  title: gettext("The architecture of Milvus"),
  help: gettext(
    "Select a part to read what it does and what falls with it. Arrow keys move from part to part.",
  ),
  memory: gettext("MiB: memory of each process; what several share is counted in each."),
  profile: (name) => gettext("Profile {name}: nothing runs yet.", { name }),
  version: "Milvus",
  versions: {
    "2.3.5": gettext("2.3.5, the course's"),
    2.6: gettext("2.6 and 3.0, log in Pulsar or Kafka"),
    "2.6 woodpecker": gettext("2.6 and 3.0, log in Woodpecker"),
  },
  documented: gettext("From documentation, not measured here. How long an interruption lasts is not said."),
  sourceOf: gettext("source"),
  gone: gettext("The cluster was taken down. This is how it was seen last."),
  simulated: gettext("This is a simulation: no Milvus runs here."),
  healthyOf: (n, all) => gettext("{n} of {all} processes healthy.", { n, all }),
  ttl: (ttl) => gettext("session TTL {ttl} s", { ttl }),
  entry: gettext("the clients' proxy"),
  alone: gettext("no spare"),
  colon: gettext(": "),
  sentences,
  layers: {
    access: gettext("Access"),
    coordinators: gettext("Coordinators"),
    workers: gettext("Workers"),
    substrate: gettext("Substrate"),
  },
  roles: {
    proxy: gettext("proxies"),
    rootcoord: gettext("root"),
    querycoord: gettext("query"),
    datacoord: gettext("data"),
    querynode: gettext("query nodes"),
    datanode: gettext("data nodes"),
    mixcoord: pgettext("role", "mixcoord"),
    streamingnode: gettext("streaming"),
    indexnode: gettext("index nodes"),
    etcd: "etcd",
    log: gettext("log"),
    objectstore: gettext("object store"),
  },
  ...componentWords({ gettext }),
  failing: gettext("Failing already, for want of other parts"),
  lost: gettext("If it is lost now"),
  alreadyLost: gettext("Now that it is lost"),
  nothing: gettext("Users notice nothing."),
  nothingMore: gettext("It makes nothing worse."),
  names: gettext("Its name"),
  before: gettext("2.3 to 2.5"),
  now: gettext("2.6 and 3.0"),
  fates: {
    pauses: gettext("disturbed for seconds"),
    degrades: gettext("fails for a while, then works again"),
    stops: gettext("stops until it is repaired"),
  },
  operations: operationWords({ gettext }),
});
const COURSE = "2.3.5";
// A shape for each state and fate, so that colour is never the only sign.
const SHAPES = { healthy: "●", waiting: "○", starting: "◔", unhealthy: "▲", hung: "■", down: "✕", "": "○" };
const FATES = { stops: "✕", degrades: "◐", pauses: "◷" }; // the worst first
const STARRED = new Set(["active", "leader"]);
/** The star of who leads; one that is down leads nobody, whatever was seen of it last. */
const star = (part) => (STARRED.has(part.ha_state) && part.health !== "down" ? "★ " : "");

const mebibytes = (bytes) => (bytes ? `${Math.round(bytes / 2 ** 20)} MiB` : "");

function render(model, el, speech) {
  const words = wordsOf(speech);
  const onPaper = () => model.get("version") !== model.get("home");
  /** What the map holds: of the version that is at home as Python sees it, of another one from paper. */
  const at = (name) => (onPaper() ? model.get("architectures")[model.get("version")][name] : model.get(name));
  const status = element("p", { class: "halab-arch-status", role: "status" });
  const memory = element("span", {}, ` ${words.memory}`);
  const options = Object.keys(words.versions);
  const versions = element(
    "select",
    { onchange: () => adopt(versions.value) },
    ...options.map((version) => element("option", { value: version }, words.versions[version])),
  );
  const layers = element("div", {
    class: "halab-arch-layers",
    role: "radiogroup",
    "aria-label": words.title,
  });
  const detail = element("div", { class: "halab-arch-detail", "aria-live": "polite" });
  panel(
    model,
    el,
    "halab-arch",
    words.title,
    element("div", { class: "halab-top" }, element("strong", {}, words.title), status),
    element("label", { class: "halab-arch-version" }, `${words.version} `, versions),
    element("p", { class: "halab-arch-help" }, words.help, memory),
    element("div", { class: "halab-arch-sides" }, layers, detail),
  );

  // The order on screen, which is also the one of the arrow keys.
  const ordered = () =>
    Object.values(at("layers"))
      .flat()
      .flatMap((role) => at("parts").filter((part) => part.role === role));

  function select(name, focus) {
    model.set("selected", name);
    model.save_changes();
    if (focus) layers.querySelector(`[data-part="${name}"]`)?.focus();
  }

  /** Another version, its first coordinator selected. */
  function adopt(version) {
    model.set("version", version);
    const [role] = at("layers").coordinators;
    select(`${role}-1`, false);
  }

  layers.addEventListener("keydown", (event) => {
    const sideways = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const rows = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!sideways && !rows) return;
    event.preventDefault();
    const names = ordered().map((part) => part.name);
    const here = names.indexOf(model.get("selected"));
    select(sideways ? names.at((here + sideways) % names.length) : inRow(rows), true);
  });

  /** The part so many rows below, in the same place or the last one there. */
  function inRow(step) {
    const lines = Object.values(at("layers"))
      .flat()
      .map((role) => at("parts").filter((part) => part.role === role))
      .filter((line) => line.length);
    const line = lines.findIndex((parts) => parts.some((part) => part.name === model.get("selected")));
    const place = lines[line].findIndex((part) => part.name === model.get("selected"));
    const next = lines.at((line + step) % lines.length);
    return next[Math.min(place, next.length - 1)].name;
  }

  function button(part, alone) {
    const chosen = part.name === model.get("selected");
    const made = element("button", {
      type: "button",
      class: "halab-arch-part",
      role: "radio",
      "aria-checked": chosen,
      tabindex: chosen ? 0 : -1,
      "data-part": part.name,
      "data-health": part.health,
      "data-ha-state": part.ha_state,
      "aria-label": [
        part.name,
        words.health[part.health],
        words.ha_state[part.ha_state],
        part.entry ? words.entry : "",
        alone ? words.alone : "",
        mebibytes(part.memory),
      ]
        .filter(Boolean)
        .join(", "),
    });
    made.append(
      element(
        "span",
        { class: "halab-arch-name" },
        element("span", { class: "halab-arch-shape", "aria-hidden": "true" }, SHAPES[part.health]),
        ` ${part.name}`,
      ),
      element(
        "span",
        { class: "halab-arch-note" },
        [
          star(part) + (words.ha_state[part.ha_state] ?? (part.entry ? words.entry : "")),
          alone ? words.alone : "",
          mebibytes(part.memory),
        ]
          .filter(Boolean)
          .join(" · ") || " ",
      ),
    );
    made.addEventListener("click", () => select(part.name, true));
    return made;
  }

  const drawRole = (role, members) =>
    element(
      "div",
      { class: "halab-arch-role" },
      element("span", { class: "halab-arch-kind" }, words.roles[role]),
      element(
        "span",
        { class: "halab-arch-members" },
        ...members.map((part) => button(part, members.length === 1)),
      ),
    );

  function drawLayers() {
    // Drawn anew, so the keyboard's place has to be found again.
    const held = layers.contains(document.activeElement) ? document.activeElement.dataset.part : undefined;
    const parts = at("parts");
    layers.replaceChildren(
      ...Object.entries(at("layers")).map(([layer, roles]) =>
        element(
          "div",
          { class: "halab-arch-layer", role: "group", "aria-label": words.layers[layer] },
          element("span", { class: "halab-arch-title" }, words.layers[layer]),
          element(
            "div",
            { class: "halab-arch-roles" },
            ...roles.map((role) =>
              drawRole(
                role,
                parts.filter((part) => part.role === role),
              ),
            ),
          ),
        ),
      ),
    );
    if (held)
      (layers.querySelector(`[data-part="${held}"]`) ?? layers.querySelector('[tabindex="0"]'))?.focus();
  }

  /** What becomes of the operations, the worst first, those of one fate together. */
  function fates(many) {
    return Object.keys(FATES)
      .map((fate) => [fate, many.filter((one) => one.fate === fate)])
      .filter(([, of]) => of.length)
      .map(([fate, of]) =>
        element(
          "li",
          { "data-fate": fate },
          element(
            "span",
            { class: "halab-arch-shape", "data-fate": fate, "aria-hidden": "true" },
            FATES[fate],
          ),
          element("span", {}, element("em", {}, words.fates[fate]), ...of.map(reason)),
        ),
      );
  }

  const reason = (one) =>
    element(
      "span",
      { class: "halab-arch-reason", "data-operation": one.operation },
      element("strong", {}, `${words.operations[one.operation]}${words.colon}`),
      element("span", { class: "halab-arch-why" }, words.sentences(...one.why)),
      ...one.sources.flatMap((source) => [
        " ",
        element("a", { href: source, target: "_blank", rel: "noopener" }, words.sourceOf),
      ]),
    );

  function drawDetail() {
    const part = at("parts").find((one) => one.name === model.get("selected")) ?? ordered()[0];
    const about = at("about")[part.role];
    const nothing = part.already.length ? words.nothingMore : words.nothing;
    const already = part.already.length
      ? [element("h5", {}, words.failing), element("ul", { "data-when": "already" }, ...fates(part.already))]
      : [];
    const made = [
      element("h4", {}, part.name, ` ${star(part)}${words.ha_state[part.ha_state] ?? ""}`),
      element("p", {}, about.does),
      ...already,
      element("h5", {}, part.health === "down" ? words.alreadyLost : words.lost),
      part.without.length
        ? element("ul", { "data-when": "lost" }, ...fates(part.without))
        : element("p", { class: "halab-arch-nothing" }, nothing),
      element("h5", {}, words.names),
      element(
        "dl",
        {},
        element("dt", {}, words.before),
        element("dd", {}, about.before),
        element("dt", {}, words.now),
        element("dd", {}, about.now),
      ),
    ];
    const fresh = element("div", {}, ...made);
    // Only when it changed: a live region is read aloud each time it is written.
    if (detail.firstChild?.innerHTML !== fresh.innerHTML) detail.replaceChildren(fresh);
  }

  function drawStatus() {
    const parts = at("parts");
    const facts = model.get("facts");
    const healthy = parts.filter((part) => part.health === "healthy").length;
    const running = [
      facts.engine === "simulated" ? words.simulated : `Milvus ${facts.milvus}`,
      words.healthyOf(healthy, parts.length),
      words.ttl(facts.ttl),
      ...(model.get("home") === COURSE ? [] : [words.documented]),
    ].join(" · ");
    const text = onPaper()
      ? words.documented
      : model.get("gone")
        ? words.gone
        : facts.engine
          ? running
          : words.profile(facts.profile);
    announce(status, text);
    status.closest(".halab-arch").classList.toggle("halab-arch-gone", model.get("gone") && !onPaper());
    versions.value = model.get("version");
    memory.hidden = !parts.some((part) => part.memory);
  }

  const draw = () => {
    drawStatus();
    drawLayers();
    drawDetail();
  };
  const unwatch = watch(model, { parts: draw, selected: draw, gone: draw, version: draw });
  draw();
  const unwatchSight = watchSight(model, el);
  return () => {
    unwatch();
    unwatchSight();
  };
}

export default spoken(render);
