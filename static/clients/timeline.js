/* Shows one kind of entries of a client's timeline. Without this script all of them are there. */
(function () {
  "use strict";
  document.addEventListener("change", function (event) {
    var filter = event.target.closest("[data-timeline-filter]");
    if (!filter) { return; }
    var kind = event.target.value;
    document.querySelectorAll("[data-timeline] > li[data-kind]").forEach(function (entry) {
      entry.hidden = Boolean(kind) && entry.dataset.kind !== kind;
    });
  });
})();
