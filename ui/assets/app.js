/* What the pages do beyond being read: filter the list, keep themselves fresh, follow a component live. No library, nothing from elsewhere. */
"use strict";

const prefix = document.body.dataset.prefix;

/* ---- the filter over the list ---- */

const filter = document.getElementById("filter");

function applyFilter() {
  if (!filter) return;
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of document.querySelectorAll(".components tbody tr")) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((w) => text.includes(w));
  }
}

if (filter) {
  filter.value = new URLSearchParams(location.search).get("filter") || "";
  filter.addEventListener("input", applyFilter);
  applyFilter();
}

/* ---- the same page again, every few seconds while it is looked at; only its live part is exchanged ---- */

async function refresh() {
  const part = document.querySelector("[data-refresh]");
  if (!part || document.hidden || getSelection().toString()) return;
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-refresh]");
  if (!fresh || fresh.innerHTML === part.innerHTML) return;
  const focused = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
  part.replaceWith(fresh);
  if (focused) fresh.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  applyFilter();
}

async function keepFresh(seconds) {
  for (;;) {
    await new Promise((done) => setTimeout(done, seconds * 1000));
    document.body.classList.toggle("offline", !(await refresh().then(() => true, () => false)));
  }
}

const live = document.querySelector("[data-refresh]");
if (live) keepFresh(Number(live.dataset.refresh));

/* ---- live debugging: a stream of texts, each followed by |;| ---- */

const DELIMITER = "|;|";
const ITEMS_MAX = 500;

function follow(box) {
  const items = document.getElementById("items");
  const state = document.getElementById("live-state");
  const prob = document.getElementById("prob");
  const wanted = document.getElementById("live-filter");
  const pause = document.getElementById("pause");
  let abort = null;

  function add(text) {
    if (wanted.value && !text.includes(wanted.value)) return;
    const item = document.createElement("li");
    item.textContent = text;
    items.prepend(item);
    while (items.childElementCount > ITEMS_MAX) items.lastElementChild.remove();
  }

  async function read(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (rest + value).split(DELIMITER);
      rest = parts.pop();
      parts.forEach(add);
    }
  }

  async function start() {
    abort = new AbortController();
    pause.textContent = "Pause";
    state.textContent = "Waiting for data.";
    const url = `${prefix}/api/v0/web/debug/${box.dataset.id}?sampleProb=${encodeURIComponent(prob.value)}`;
    try {
      const answer = await fetch(url, { signal: abort.signal });
      if (!answer.ok && answer.status !== 400) {
        state.textContent = (await answer.text()).trim();
        return;
      }
      await read(answer);
      state.textContent = "The stream has ended.";
    } catch (e) {
      state.textContent = e.name === "AbortError" ? "Paused." : "The connection was lost.";
    }
    abort = null;
    pause.textContent = "Go on";
  }

  pause.addEventListener("click", () => (abort ? abort.abort() : start()));
  prob.addEventListener("change", () => {
    if (abort) abort.abort();
    setTimeout(start, 50);
  });
  document.getElementById("clear").addEventListener("click", () => items.replaceChildren());
  start();
}

const box = document.getElementById("live");
if (box) follow(box);
