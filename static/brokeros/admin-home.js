/* System health on the back-office home: what /readyz says of each part, asked every fifteen seconds. */
(function () {
  "use strict";
  var LABELS = { lag_s: "s", latency_ms: "ms", heartbeat_age_s: "s" };

  function line(card, name, part) {
    var row = document.createElement("div");
    var term = document.createElement("dt");
    term.textContent = name;
    var detail = document.createElement("dd");
    var badge = document.createElement("span");
    badge.className = "bo-badge bo-badge-" + (part.ok ? "good" : "bad");
    badge.textContent = part.ok ? card.dataset.wordsOk : card.dataset.wordsBad;
    Object.keys(LABELS).forEach(function (key) {
      if (typeof part[key] === "number") {
        var figure = document.createElement("span");
        figure.className = "bo-muted bo-small bo-num";
        figure.textContent = part[key] + " " + LABELS[key] + " ";
        detail.append(figure);
      }
    });
    detail.append(badge);
    row.append(term, detail);
    return row;
  }

  function show(card, parts) {
    var list = card.querySelector("[data-health-parts]");
    list.replaceChildren.apply(list, Object.keys(parts).map(function (name) { return line(card, name, parts[name]); }));
    card.querySelector("[data-health-at]").textContent = new Date().toISOString().slice(11, 19) + " UTC";
  }

  function ask(card) {
    fetch(card.dataset.health, { cache: "no-store" })
      .then(function (response) { return response.json(); })
      .then(function (answer) { show(card, answer.parts); })
      .catch(function () { show(card, { web: { ok: false } }); });
  }

  document.addEventListener("DOMContentLoaded", function () {
    var card = document.querySelector("[data-health]");
    if (!card) { return; }
    ask(card);
    setInterval(ask, 15000, card);
  });
})();
