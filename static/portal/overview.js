/* The overview stays true while it is open: a hint about an account makes the page re-read its figures. */
(function () {
  "use strict";
  var pending = null;

  function reread() {
    pending = null;
    fetch(location.href, { credentials: "same-origin", headers: { "X-Requested-With": "fetch" } })
      .then(function (response) { return response.ok ? response.text() : null; })
      .then(function (text) {
        if (!text) { return; }
        var fresh = new DOMParser().parseFromString(text, "text/html").getElementById("content");
        var shown = document.getElementById("content");
        if (fresh && shown) { shown.replaceChildren.apply(shown, Array.from(fresh.childNodes)); }
      });
  }

  function soon() {
    if (!pending && document.visibilityState === "visible") { pending = setTimeout(reread, 800); }
  }

  document.addEventListener("visibilitychange", soon);
  setInterval(soon, 10000);
})();
