// Live progress on a meeting's page. Without it the page says the same, and has a link to refresh it.
"use strict";

(() => {
  const card = document.querySelector("[data-progress][data-busy]");
  if (!card) return;
  const live = card.querySelector("[data-live]");
  const hint = card.querySelector("[data-hint]");
  const after = card.dataset.after === "" ? null : Number(card.dataset.after);
  const SOON = 2000, LATER = 6000, LONG = 90000;
  const began = Date.now();
  let shown = "";

  // Texts are only ever set as text.
  const element = (name, words, kind) => {
    const made = document.createElement(name);
    made.textContent = words;
    if (kind) made.className = kind;
    return made;
  };

  const show = (told) => {
    const key = JSON.stringify([told.phase, told.subjects]);
    if (key === shown) return;
    shown = key;
    const list = element("ul", "", "subjects");
    for (const one of told.subjects) {
      const item = element("li", "");
      item.append(element("span", one.label, "subject"), " ", element("span", one.state, "how " + one.state.replace(/ /g, "-")));
      list.append(item);
    }
    const phase = element("p", "");
    phase.append(element("span", told.phase));
    live.replaceChildren(phase, list);
  };

  const waiting = (told) => told.busy || (after !== null && told.version <= after);

  const ask = async () => {
    try {
      const answer = await fetch(card.dataset.progress, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.status === 401 || answer.status === 404) return location.reload();
      if (answer.ok) {
        const told = await answer.json();
        if (!waiting(told)) return location.replace(location.pathname);
        if (told.busy) show(told);
      }
    } catch {
      // Away for a moment: ask again.
    }
    setTimeout(ask, Date.now() - began < LONG ? SOON : LATER);
  };

  if (hint) hint.textContent = "is not needed: this page does so by itself";
  setTimeout(ask, SOON);
})();
