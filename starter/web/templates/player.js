// A digest that is heard: the transcript follows, and a click on it, or on a chapter, leads there in the audio.
// Without it the player plays, and every time is a link to the audio from there.
"use strict";

(() => {
  const player = document.querySelector("audio[data-player]");
  if (!player) return;
  const says = [...document.querySelectorAll("[data-start]")].map((one) => ({
    one,
    start: Number(one.dataset.start),
    end: Number(one.dataset.end),
  }));
  const follow = document.querySelector("[data-follow]");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  // Whoever scrolls by themselves reads something: they are left alone for a while.
  const ALONE = 5000;
  let touched = -ALONE;

  const go = (ms) => {
    player.currentTime = ms / 1000;
    player.play().catch(() => {});
  };

  const seen = (one) => {
    const box = one.getBoundingClientRect(), top = player.closest("[data-stays]").getBoundingClientRect().bottom;
    return box.top >= top && box.bottom <= innerHeight;
  };

  const show = () => {
    const at = player.currentTime * 1000;
    for (const { one, start, end } of says) {
      const now = start <= at && at < end;
      if (one.classList.contains("saying") === now) continue;
      one.classList.toggle("saying", now);
      if (!now) one.removeAttribute("aria-current");
      else one.setAttribute("aria-current", "true");
      if (now && one.matches(".say") && !player.paused && follow && follow.checked && performance.now() - touched > ALONE && !seen(one))
        one.scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
    }
  };

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("[data-at]");
    if (link) {
      event.preventDefault();
      return go(Number(link.dataset.at));
    }
    const said = event.target.closest(".say[data-start]");
    // Whoever marks words wants to copy them; a link inside leads where it says.
    if (said && !event.target.closest("a") && getSelection().isCollapsed) go(Number(said.dataset.start));
  });
  for (const kind of ["wheel", "touchmove", "keydown"]) addEventListener(kind, () => (touched = performance.now()), { passive: true });
  for (const kind of ["timeupdate", "seeked", "play"]) player.addEventListener(kind, show);
  if (follow) follow.closest("[hidden]").hidden = false;
})();
