// Shows the overview as it changes: the server pushes it while the page is looked at. Where it
// refuses (too many look at once, a proxy that holds such answers back), it is asked now and then.
"use strict";
(function () {
  const every = 3000;
  // Nothing for so long: what is shown is old.
  const patience = 10000;
  const trendsEvery = 10000;
  const againAfter = 60000;
  const live = document.getElementById("live");
  const stale = document.getElementById("stale");
  const spans = document.getElementById("spans");
  const trends = {};
  let span = "recent";
  let source, asking, watching, seen;
  // Which way of looking is meant: an answer to an earlier one starts nothing.
  let turn = 0;

  // Only what changed is replaced: screen readers say the sentence again only when it is another.
  function show(html) {
    stale.hidden = true;
    seen = Date.now();
    // Whoever stands on a link keeps it under their feet.
    if (live.contains(document.activeElement)) return;
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const id of ["verdict", "numbers"]) {
      const [before, after] = [document.getElementById(id), fresh.getElementById(id)];
      if (before && after && before.outerHTML !== after.outerHTML) {
        before.className = after.className;
        before.replaceChildren(...after.childNodes);
      }
    }
  }

  function draw(name, numbers) {
    trends[name] = numbers;
    if (name === span) charts.show(numbers);
  }

  function listen() {
    stop();
    seen = Date.now();
    source = new EventSource("/console/stream");
    source.addEventListener("live", (event) => show(event.data));
    source.addEventListener("away", () => { stale.hidden = false; });
    for (const name of ["recent", "day"]) {
      source.addEventListener(name, (event) => draw(name, JSON.parse(event.data)));
    }
    // Otherwise the browser connects again by itself.
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) ask(); };
    watching = setInterval(() => {
      if (Date.now() - seen > patience) {
        stale.hidden = false;
        ask();
      }
    }, 1000);
  }

  function ask() {
    stop();
    const [mine, end] = [turn, Date.now() + againAfter];
    let trendsAt = 0;
    const look = async () => {
      try {
        const answer = await fetch("/console/live", { cache: "no-store" });
        if (answer.status === 401) return location.reload();
        if (!answer.ok) throw new Error(answer.statusText);
        show(await answer.text());
        if (Date.now() - trendsAt > trendsEvery) {
          trendsAt = Date.now();
          draw(span, await charts.load("/console/trends.json?span=" + span));
        }
      } catch {
        stale.hidden = false;
      }
      if (turn !== mine) return;
      if (Date.now() > end) return listen();
      asking = setTimeout(look, every);
    };
    asking = setTimeout(look, 0);
  }

  function stop() {
    turn += 1;
    source?.close();
    clearInterval(watching);
    clearTimeout(asking);
  }

  for (const button of spans.querySelectorAll("button")) {
    button.addEventListener("click", async () => {
      span = button.dataset.span;
      for (const other of spans.querySelectorAll("button")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      if (trends[span]) charts.show(trends[span]);
      else draw(span, await charts.load("/console/trends.json?span=" + span).catch(() => ({ at: [], charts: [] })));
    });
  }
  spans.hidden = false;

  // Nobody looks: nothing is sent, and the connection is free for other pages.
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  if (!document.hidden) listen();
})();
