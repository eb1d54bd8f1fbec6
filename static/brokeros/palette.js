/* The palette: Ctrl or Cmd and K opens it, arrows choose, Enter goes, Ctrl+Enter opens beside, Esc closes. */
(function () {
  "use strict";
  var chosen = 0;

  function box() { return document.getElementById("bo-palette"); }
  function text() { return document.getElementById("bo-palette-text"); }
  function list() { return document.getElementById("bo-palette-results"); }
  function hits() { return Array.from(list().querySelectorAll("[role=option]")); }

  function choose(index) {
    var all = hits();
    chosen = all.length ? (index + all.length) % all.length : 0;
    all.forEach(function (hit, at) {
      hit.id = "bo-hit-" + at;
      hit.setAttribute("aria-selected", String(at === chosen));
    });
    if (all[chosen]) {
      text().setAttribute("aria-activedescendant", all[chosen].id);
      all[chosen].scrollIntoView({ block: "nearest" });
    } else {
      text().removeAttribute("aria-activedescendant");
    }
  }

  function open() {
    if (!box() || box().open) { return; }
    box().showModal();
    text().select();
    if (!list().children.length) { window.htmx.trigger(text(), "input"); }
  }

  document.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
      return;
    }
    if (!box() || !box().open) { return; }
    if (event.key === "ArrowDown") { event.preventDefault(); choose(chosen + 1); }
    if (event.key === "ArrowUp") { event.preventDefault(); choose(chosen - 1); }
    if (event.key === "Enter" && hits()[chosen]) {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) {
        window.open(hits()[chosen].href, "_blank", "noopener");
      } else {
        window.location = hits()[chosen].href;
      }
    }
  });

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-palette-open]") && box()) { event.preventDefault(); open(); }
    if (event.target === box()) { box().close(); }
  });

  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.target !== list()) { return; }
    choose(0);
    document.getElementById("bo-palette-said").textContent = String(hits().length);
  });
}());
