// What the course changes in JupyterLab's own window. A lesson and its exercise are files of one name, as nbgrader
// wants it, so the tab of an exercise says that it is one. (Its title cannot: JupyterLab renames the file to it.)

const plugin = {
  id: "halab:tabs",
  autoStart: true,
  activate: () => {
    const config = document.getElementById("jupyter-config-data").textContent;
    const { halabExercise = "Exercise" } = JSON.parse(config);
    const sheet = document.createElement("style");
    sheet.textContent = `
      .lm-TabBar-tab[title*="exercises/"] .lm-TabBar-tabLabel::before {
        content: ${JSON.stringify(`${halabExercise} `)};
      }
    `;
    document.head.append(sheet);
  },
};

// JupyterLab loads an extension as webpack's module federation would have packed it.
globalThis._JUPYTERLAB ??= {};
globalThis._JUPYTERLAB.halab = {
  init: () => {},
  get: () => Promise.resolve(() => ({ __esModule: true, default: plugin })),
};
