// Checks the certificate in this page, and the text of a QR, with the key in this page. Nothing is sent anywhere.

const given = JSON.parse(document.getElementById("data").textContent);
const { words, language } = given;
const at = (name) => document.getElementById(name);
const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const fromUrl = (text) => bytes(text.replaceAll("-", "+").replaceAll("_", "/"));

// Whether the holder of the key in this page signed these bytes; null where the browser cannot tell.
async function holds(signature, signed) {
  try {
    const key = await crypto.subtle.importKey("raw", bytes(given.key), { name: "Ed25519" }, false, [
      "verify",
    ]);
    return await crypto.subtle.verify({ name: "Ed25519" }, key, signature, signed);
  } catch {
    return null;
  }
}

async function fingerprint() {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(given.key)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const over = (day) => day && day < new Date().toISOString().slice(0, 10);

function show(list, rows) {
  for (const [name, value] of rows) {
    if (!value) continue;
    const [term, text] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, text.textContent] = [name, value];
    list.append(term, text);
  }
}

function verdict(place, held, until) {
  const said = held === null ? words.old : held ? words.good : words.bad;
  place.textContent = held && over(until) ? `${words.over} ${until}` : said;
}

async function checkRecord() {
  const signed = bytes(given.signed);
  const held = await holds(bytes(given.signature), signed);
  const digits = await fingerprint();
  at("fingerprint").textContent = digits.match(/.{4}/g).join(" ");
  const { record } = JSON.parse(new TextDecoder().decode(signed));
  verdict(at("verdict"), held, record.valid_until);
  if (!held) return;
  show(at("record"), [
    [words.name, record.name],
    [words.learner, record.learner],
    [words.course, record.course[language] ?? record.course.en],
    [words.hours, String(record.course.hours)],
    [words.organisation, record.organisation],
    [words.person, record.person],
    [words.issued, record.issued.slice(0, 10)],
    [words.valid_until, record.valid_until],
    [words.key_kind, words[`key_${record.key}`] ?? record.key],
    [words.items, record.items.map((item) => item[language] ?? item.en).join(words.apart)],
  ]);
}

async function checkPaper() {
  at("paper-record").replaceChildren();
  const [prefix, said, signature, more] = at("paper").value.replace(/\s/g, "").split(".");
  let says;
  try {
    says = JSON.parse(new TextDecoder().decode(fromUrl(said)));
    if (prefix !== "HALAB3" || more !== undefined || typeof says.name !== "string") throw new Error();
  } catch {
    at("paper-verdict").textContent = words.no_qr;
    return;
  }
  const held = await holds(fromUrl(signature), fromUrl(said));
  verdict(at("paper-verdict"), held, says.until);
  if (held) show(at("paper-record"), Object.entries(says));
}

async function compare() {
  const typed = at("published")
    .value.replace(/[^0-9a-f]/gi, "")
    .toLowerCase();
  at("same").textContent = typed ? ((await fingerprint()) === typed ? words.same : words.other) : "";
}

at("check").addEventListener("click", checkPaper);
at("published").addEventListener("input", compare);
checkRecord();
