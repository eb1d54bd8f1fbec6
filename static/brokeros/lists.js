/* Lists by keyboard: j k move, Enter or o opens, x selects, / searches, n p turn the page, ? shows these keys. */
(function () {
  "use strict";
  var current = -1;

  function rows() { return Array.from(document.querySelectorAll("#result_list tbody tr.data-row")); }

  function linkOf(row) { return row.querySelector("th a[href], td a[href]"); }

  function go(index) {
    var all = rows();
    if (!all.length) { return; }
    current = Math.max(0, Math.min(index, all.length - 1));
    all.forEach(function (row, at) { row.classList.toggle("bo-row-here", at === current); });
    var row = all[current];
    var link = linkOf(row);
    if (link) { link.focus({ preventScroll: true }); }
    row.scrollIntoView({ block: "nearest" });
  }

  function open() {
    var row = rows()[current];
    var link = row && linkOf(row);
    if (link) { link.click(); }
  }

  function tick() {
    var row = rows()[current];
    var box = row && row.querySelector("input.action-select");
    if (box) { box.click(); }
  }

  function turn(step) {
    var page = Number(new URLSearchParams(window.location.search).get("p") || "1") + step;
    var last = document.querySelector("[data-last-page]");
    if (page < 1 || (last && page > Number(last.dataset.lastPage))) { return; }
    var query = new URLSearchParams(window.location.search);
    query.set("p", String(page));
    window.location.search = query.toString();
  }

  function show(id) {
    var dialog = document.getElementById(id);
    if (dialog && !dialog.open) { dialog.showModal(); }
  }

  var keys = {
    j: function () { go(current + 1); },
    k: function () { go(current < 0 ? 0 : current - 1); },
    o: open,
    x: tick,
    n: function () { turn(1); },
    p: function () { turn(-1); },
    "?": function () { show("bo-keys"); }
  };

  function typing(target) {
    return target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]");
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) { return; }
    if (document.querySelector("dialog[open]")) { return; }
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target)) { return; }
    if (event.key === "/") {
      var box = document.getElementById("searchbar");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
      return;
    }
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });

  /* density is one person's habit on one machine */
  function dense(on) {
    document.documentElement.classList.toggle("bo-dense", on);
    document.querySelectorAll("[data-density]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(on));
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    dense(window.localStorage.getItem("bo-dense") === "1");
    document.querySelectorAll("[data-density]").forEach(function (button) {
      button.addEventListener("click", function () {
        var on = !document.documentElement.classList.contains("bo-dense");
        window.localStorage.setItem("bo-dense", on ? "1" : "0");
        dense(on);
      });
    });
  });
}());
