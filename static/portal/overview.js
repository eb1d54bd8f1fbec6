/* The overview stays true while it is open: a quote of something held is a hint to re-read the figures,
   at most every two seconds; without open positions it looks every ten for what became of a request. */
(function () {
  "use strict";
  var content = document.getElementById("content");
  var waiting = null;
  var subscribed = "";
  var quotes = null;

  function symbols() {
    var holder = content.querySelector("[data-symbols]");
    return holder ? holder.dataset.symbols : "";
  }

  function listen() {
    var wanted = symbols();
    if (wanted === subscribed) { return; }
    subscribed = wanted;
    if (quotes) { quotes.close(); quotes = null; }
    if (!wanted) { return; }
    quotes = window.BrokerOS.live("/ws/quotes/", function (message) {
      if (message.type === "delta") { soon(2000); }
    }, { hello: { type: "subscribe", symbols: wanted.split(",") }, onGap: function () { soon(0); } });
  }

  function reread() {
    waiting = null;
    fetch(location.href, { credentials: "same-origin" })
      .then(function (response) { return response.ok && !response.redirected ? response.text() : null; })
      .then(function (text) {
        if (!text || content.contains(document.activeElement)) { return; }
        var fresh = new DOMParser().parseFromString(text, "text/html").getElementById("content");
        content.replaceChildren.apply(content, Array.from(fresh.childNodes));
        listen();
      })
      .catch(function () { /* the next hint asks again */ });
  }

  function soon(milliseconds) {
    if (waiting === null && document.visibilityState === "visible") { waiting = setTimeout(reread, milliseconds); }
  }

  document.addEventListener("visibilitychange", function () { soon(0); });
  setInterval(soon, 10000, 0);
  listen();
})();
