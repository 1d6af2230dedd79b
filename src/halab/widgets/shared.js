// What several widgets do alike. anywidget takes one module a widget and resolves no import beside it, so `front_end`
// in base.py puts this text before each widget's own. Every name here is therefore one that no widget may give again.

// ---- Building -----------------------------------------------------------------------------------------------------

/** Attributes that begin with "on" are listeners; one that is false or undefined is left out. */
function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-")) made.setAttribute(name, value); // a state: it says "false" too
    else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const element = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
