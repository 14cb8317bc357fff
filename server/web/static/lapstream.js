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

function keepFresh(part) {
  async function refresh() {
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(part.id);
      if (!fresh) return;
      if (!fresh.dataset.refresh) clearInterval(timer);
      part.replaceChildren(...fresh.childNodes);
    } catch {
      // The server is away: what is shown stays until it is back.
    }
  }
  const timer = setInterval(refresh, Number(part.dataset.refresh) * 1000);
}

for (const part of document.querySelectorAll("[data-refresh]")) keepFresh(part);
for (const section of document.querySelectorAll("[data-events]")) followImport(section);
