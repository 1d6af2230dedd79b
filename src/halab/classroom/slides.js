// One slide at a time, by keys; and a second window with the speaker's notes, which goes along.
const sections = [...document.querySelectorAll("section")];
const speaker = location.hash === "#speaker";
const began = Date.now();
let here = 0;
let other = speaker ? window.opener : null;

function show(number, told = false) {
  sections[here].classList.remove("here");
  here = Math.max(0, Math.min(sections.length - 1, number));
  sections[here].classList.add("here");
  document.getElementById("place").textContent = `${here + 1} / ${sections.length}`;
  if (speaker) {
    const next = sections[here + 1]?.querySelector("h1, h2").textContent;
    document.getElementById("next").textContent = next
      ? document.body.dataset.next.replace("{title}", () => next)
      : "";
  } else {
    history.replaceState(null, "", `#${here + 1}`);
  }
  if (!told) {
    other?.postMessage({ slide: here }, "*");
  }
}

function openSpeaker() {
  const page = location.href.replace(/#.*/, "");
  other = window.open(`${page}#speaker`, "speaker", "width=1000,height=750");
}

const keys = {
  ArrowRight: () => show(here + 1),
  ArrowDown: () => show(here + 1),
  PageDown: () => show(here + 1),
  " ": () => show(here + 1),
  ArrowLeft: () => show(here - 1),
  ArrowUp: () => show(here - 1),
  PageUp: () => show(here - 1),
  Home: () => show(0),
  End: () => show(sections.length - 1),
  n: () => document.body.classList.toggle("notes"),
  s: () => speaker || openSpeaker(),
};

document.addEventListener("keydown", (event) => {
  const act = keys[event.key.length > 1 ? event.key : event.key.toLowerCase()];
  if (act && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    act();
  }
});

// Only from the window that belongs to this one. A new speaker's window asks where we are.
window.addEventListener("message", (event) => {
  if (event.source !== other) {
    return;
  }
  if (event.data.ask) {
    other.postMessage({ slide: here }, "*");
  } else if (Number.isInteger(event.data.slide)) {
    show(event.data.slide, true);
  }
});

document.body.classList.add("shown");
show(speaker ? 0 : (Number.parseInt(location.hash.slice(1), 10) || 1) - 1, speaker);
if (speaker) {
  document.body.classList.add("notes", "speaker");
  other?.postMessage({ ask: true }, "*");
  setInterval(() => {
    const seconds = Math.floor((Date.now() - began) / 1000);
    const rest = String(seconds % 60).padStart(2, "0");
    document.getElementById("clock").textContent = `${Math.floor(seconds / 60)}:${rest}`;
  }, 1000);
}
