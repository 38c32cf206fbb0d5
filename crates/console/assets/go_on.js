// Goes on with what is done in steps, unless whoever looks wants to stop.
"use strict";
(function () {
  const button = document.getElementById("go-on");
  const stop = document.getElementById("stop");
  const soon = setTimeout(() => button.click(), 500);
  stop.addEventListener("focus", () => clearTimeout(soon));
  stop.addEventListener("pointerdown", () => clearTimeout(soon));
})();
