/* The bell: how much is unread, live; what it is about, read when the drop-down opens. */
(function () {
  "use strict";

  function start(bell) {
    var count = bell.querySelector("[data-bell-count]");
    var words = bell.querySelector("[data-bell-words]");
    var list = bell.querySelector("[data-bell-list]");

    function show(unread) {
      count.hidden = !unread;
      count.textContent = unread > 99 ? "99+" : String(unread);
      words.textContent = unread ? unread + " " + words.dataset.one : "";
    }

    function read() {
      fetch(bell.dataset.feed, { credentials: "same-origin" }).then(function (response) {
        return response.ok && !response.redirected ? response.text() : null;
      }).then(function (html) {
        if (html === null) { return; }
        list.innerHTML = html;
        show(Number(list.querySelector("[data-unread]").dataset.unread));
      }).catch(function () { /* the link to the page stays */ });
    }

    bell.addEventListener("toggle", function () { if (bell.open) { read(); } });
    bell.addEventListener("submit", function (event) {
      var form = event.target;
      if (!form.matches("[data-bell-read]")) { return; }
      event.preventDefault();
      fetch(form.action, {
        method: "POST", body: new FormData(form), headers: { "X-Bell": "1" }, credentials: "same-origin"
      }).then(read).catch(function () { form.submit(); });
    });
    window.BrokerOS.live("/ws/notifications/", function (message) {
      if (message.type !== "bell") { return; }
      show(message.unread);
      if (bell.open) { read(); }
    }, { onGap: function () { if (bell.open) { read(); } } });
  }

  document.addEventListener("DOMContentLoaded", function () {
    var bell = document.querySelector("[data-bell]");
    if (bell && window.WebSocket) { start(bell); }
  });
}());
