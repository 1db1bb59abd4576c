/* Closes the meaning of a term on Escape, until pointer and focus have left it. */
(() => {
  "use strict";
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const term of document.querySelectorAll(".kdlib-term:is(:hover, :focus-within)")) {
      term.classList.add("kdlib-closed");
      const open = () => term.classList.remove("kdlib-closed");
      term.addEventListener("pointerleave", open, { once: true });
      term.addEventListener("focusout", open, { once: true });
    }
  });
})();
