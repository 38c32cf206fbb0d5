// Fetches the overview's numbers again while the page is looked at.
"use strict";
(function () {
  const every = 3000;
  const live = document.getElementById("live");
  const stale = document.getElementById("stale");

  async function look() {
    // Whoever stands on a link keeps it under their feet.
    if (!document.hidden && !live.contains(document.activeElement)) {
      try {
        const answer = await fetch("/console/live", { cache: "no-store" });
        if (answer.status === 401) {
          location.reload();
          return;
        }
        if (!answer.ok) throw new Error(answer.statusText);
        show(new DOMParser().parseFromString(await answer.text(), "text/html"));
        stale.hidden = true;
      } catch {
        stale.hidden = false;
      }
    }
    setTimeout(look, every);
  }

  // Only what changed is replaced: screen readers say the sentence again only when it is another.
  function show(fresh) {
    for (const id of ["verdict", "numbers"]) {
      const [before, after] = [document.getElementById(id), fresh.getElementById(id)];
      if (before && after && before.outerHTML !== after.outerHTML) {
        before.className = after.className;
        before.replaceChildren(...after.childNodes);
      }
    }
  }

  setTimeout(look, every);
})();
