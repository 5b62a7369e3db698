// Work on a document, followed; and passages that lead to what is said of them. Without it the page says the same.
"use strict";

(() => {
  const LATER = 15000;

  for (const card of document.querySelectorAll("[data-follow]")) {
    if (!window.EventSource) break;
    const bar = card.querySelector("progress");
    const said = card.querySelector("[data-said]");
    const hint = card.querySelector("[data-hint]");
    const source = new EventSource(card.dataset.follow);

    // Texts are only ever set as text.
    source.addEventListener("progress", (event) => {
      const told = JSON.parse(event.data);
      bar.value = told.percent;
      const words = told.percent + " percent" + (told.message ? ": " + told.message : "");
      if (said.textContent !== words) said.textContent = words;
    });

    source.addEventListener("done", () => {
      source.close();
      location.replace(location.pathname);
    });

    // It comes again by itself when the line was cut; not when it was refused.
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), LATER);
    });

    if (hint) hint.textContent = "is not needed: this page does so by itself";
  }

  // The words themselves lead there too, not only their numbers.
  for (const one of document.querySelectorAll("mark[data-finding]"))
    one.addEventListener("click", () => (location.hash = "finding-" + one.dataset.finding));

  const letter = document.querySelector("[data-letter]");
  const copy = document.querySelector("[data-copy]");
  if (letter && copy) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      letter.select();
      try {
        await navigator.clipboard.writeText(letter.value);
        copy.textContent = "Copied";
      } catch {
        copy.textContent = "It is selected: copy it with your keyboard";
      }
    });
  }
})();
