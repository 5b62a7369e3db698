// A run that writes, watched. Without it the page says the same, and has a link to refresh it.
"use strict";

(() => {
  const card = document.querySelector("[data-watch]");
  if (!card || !window.EventSource) return;
  const phase = card.querySelector("[data-phase] .state");
  const turn = card.querySelector("[data-turn]");
  const hint = card.querySelector("[data-hint]");
  const drafting = document.querySelector("[data-drafting]");
  const draft = drafting.querySelector("[data-draft]");
  const PHASES = { queued: ["off", "Waiting for its turn"], running: ["working", "Being written"] };
  const LATER = 15000, NEAR = 60;
  let begun = false;

  const source = new EventSource(card.dataset.watch);

  source.addEventListener("progress", (event) => {
    const told = JSON.parse(event.data);
    const [kind, words] = PHASES[told.status] || ["off", ""];
    if (phase.textContent !== words) {
      phase.className = "state " + kind;
      phase.textContent = words;
    }
    if (turn && told.status !== "queued") turn.hidden = true;
  });

  // Texts are only ever set as text. What the page came with is there already, and is sent once more at first.
  source.addEventListener("text", (event) => {
    const told = JSON.parse(event.data);
    const atEnd = draft.scrollHeight - draft.scrollTop - draft.clientHeight < NEAR;
    if (!begun || told.again) draft.textContent = "";
    begun = true;
    draft.append(told.text);
    drafting.hidden = false;
    if (atEnd) draft.scrollTop = draft.scrollHeight;
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
})();
