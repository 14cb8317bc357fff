// What the pages do better with JavaScript; each of them works without.
"use strict";

function followImport(section) {
  const bar = section.querySelector("progress");
  const stream = new EventSource(section.dataset.events);
  stream.addEventListener("progress", (event) => {
    const progress = JSON.parse(event.data);
    for (const figure of section.querySelectorAll("[data-count]")) {
      figure.textContent = progress[figure.dataset.count].toLocaleString("en");
    }
    if (progress.sessions) {
      bar.max = progress.sessions;
      bar.value = progress.sessions - progress.waiting;
    }
  });
  stream.addEventListener("end", () => {
    stream.close();
    location.reload();
  });
}

function keyOf(node) {
  return node.id || node.dataset?.key || node.getAttribute?.("aria-labelledby") || null;
}

function nodesOf(node, other) {
  const has = (one) => [...one.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
  return has(node) || has(other) ? [...node.childNodes] : [...node.children];
}

// Makes a part of the page what a newer one is, and leaves what is the same in place: focus, ticks, scrolling.
function grow(part, fresh) {
  if (part.nodeType === Node.TEXT_NODE) {
    if (part.data !== fresh.data) part.data = fresh.data;
    return;
  }
  for (const name of part.getAttributeNames()) {
    if (!fresh.hasAttribute(name) && name !== "open") part.removeAttribute(name);
  }
  for (const name of fresh.getAttributeNames()) {
    if (part.getAttribute(name) !== fresh.getAttribute(name) && name !== "open") {
      part.setAttribute(name, fresh.getAttribute(name));
    }
  }
  const left = nodesOf(part, fresh);
  const wanted = nodesOf(fresh, part);
  const keys = new Set(wanted.map(keyOf));
  for (const child of left.filter((one) => keyOf(one) && !keys.has(keyOf(one)))) {
    left.splice(left.indexOf(child), 1);
    child.remove();
  }
  for (const next of wanted) {
    const key = keyOf(next);
    const match = key ? left.find((one) => keyOf(one) === key) : left[0];
    if (match && match.nodeName === next.nodeName && keyOf(match) === key) {
      if (match !== left[0]) part.insertBefore(match, left[0]);
      left.splice(left.indexOf(match), 1);
      grow(match, next);
    } else {
      part.insertBefore(next, left[0] || null);
    }
  }
  for (const gone of left) gone.remove();
}

// Does what changes a part, and scrolls so that what one looks at stays where it is: what has the focus, or else the middle.
function inPlace(part, change) {
  const focused = document.activeElement;
  const middle = scrollY > 0 ? document.elementFromPoint(innerWidth / 2, innerHeight / 2) : null;
  const held = focused !== part && part.contains(focused) ? focused : middle;
  const before = held?.getBoundingClientRect().top;
  change();
  if (held?.isConnected) scrollBy({ top: held.getBoundingClientRect().top - before, behavior: "instant" });
  if (held === focused && document.activeElement !== held) held?.focus({ preventScroll: true });
}

// A part of the page as it is by now; null where there is none.
async function fetched(part) {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
  } catch {
    return null; // The server is away: what is shown stays until it is back.
  }
}

function followDay(part) {
  let busy = false;
  let missed = false;

  async function update() {
    if (busy) {
      missed = true;
      return;
    }
    busy = true;
    const fresh = await fetched(part);
    if (fresh) inPlace(part, () => grow(part, fresh));
    await new Promise((done) => setTimeout(done, 1000));
    busy = false;
    if (missed) {
      missed = false;
      update();
    }
  }

  const stream = new EventSource(part.dataset.live);
  stream.addEventListener("changed", (event) => {
    if (JSON.parse(event.data).version !== part.dataset.version) update();
  });
  stream.addEventListener("status", (event) => {
    const { status, error } = JSON.parse(event.data);
    const told = part.querySelector("[data-status]");
    if (!told) return;
    told.textContent = status;
    part.querySelector("[data-error]").textContent = error ? `${part.dataset.failed} ${error}` : "";
  });
  stream.addEventListener("end", () => {
    stream.close();
    update();
  });
}

function keepFresh(part) {
  async function refresh() {
    if (document.hidden || part.contains(document.activeElement)) return;
    const fresh = await fetched(part);
    if (!fresh) return;
    if (!fresh.dataset.refresh) clearInterval(timer);
    part.replaceChildren(...fresh.childNodes);
  }
  const timer = setInterval(refresh, Number(part.dataset.refresh) * 1000);
}

for (const part of document.querySelectorAll("[data-refresh]")) keepFresh(part);
for (const part of document.querySelectorAll("[data-live]")) followDay(part);
for (const section of document.querySelectorAll("[data-events]")) followImport(section);
