// The language of the course: a choice that is kept, and what to do so that open pages follow it.

import { element, htmlLang, ownId } from "./shared.js";

const WORDS = {
  en: {
    title: "Language",
    kept: "The course speaks English.",
    what: "Pages that are open follow when they are loaded again; what you wrote stays as it is.",
    reload: "Load this page again",
  },
  zh: {
    title: "语言",
    kept: "课程已切换为中文。",
    what: "已经打开的页面，重新载入后就会切换；你写的内容原样保留。",
    reload: "重新载入本页",
  },
};

function render({ model, el }) {
  const words = () => WORDS[model.get("lang")] ?? WORDS.en;
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
    legend.textContent = `${WORDS.en.title} / ${WORDS.zh.title}`;
    told.textContent = `${words().kept} ${words().what}`;
    reload.textContent = words().reload;
    after.lang = htmlLang(model);
  };
  const changed = () => {
    show();
    after.hidden = false;
  };
  model.on("change:lang", changed);
  show();
  el.append(element("fieldset", { class: "halab-language" }, legend, ...choices, after));
  return () => model.off("change:lang", changed);
}

export default { render };
