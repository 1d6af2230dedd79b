// The language of the course: a choice that is kept, that open widgets follow, and how open pages do.

import { element, htmlLang, ownId, sayLanguage, speechOf } from "./shared.js";

const wordsOf = ({ gettext }) => ({
  title: gettext("Language"),
  kept: gettext("The course speaks English, and so does what is open on this page and others."),
  what: gettext("Their text follows when they are loaded again; what you wrote stays as it is."),
  reload: gettext("Load this page again"),
});

function render({ model, el }) {
  const words = () => wordsOf(speechOf(model.get("speech")));
  const legend = element("legend");
  const told = element("p", { role: "status" });
  const reload = element("button", { type: "button", onclick: () => globalThis.location.reload() });
  const group = ownId();
  const choices = Object.entries(model.get("names")).map(([code, name]) => {
    const input = element("input", {
      type: "radio",
      name: group,
      value: code,
      checked: code === model.get("chosen"),
      onchange: () => {
        model.set("chosen", code);
        model.save_changes();
      },
    });
    return element("label", { lang: code }, input, name);
  });
  const after = element("div", { class: "halab-language-after", hidden: true }, told, reload);
  const show = () => {
    legend.textContent = [...new Set(["Language", words().title])].join(" / ");
    told.textContent = `${words().kept} ${words().what}`;
    reload.textContent = words().reload;
    after.lang = htmlLang(model);
  };
  // Python has kept the choice by now: what asks for it hears the new one.
  const changed = () => {
    show();
    after.hidden = false;
    sayLanguage(model.get("chosen"));
  };
  model.on("change:speech", changed);
  show();
  el.append(element("fieldset", { class: "halab-language" }, legend, ...choices, after));
  return () => model.off("change:speech", changed);
}

export default { render };
