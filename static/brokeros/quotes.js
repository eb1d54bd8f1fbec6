/* Live quotes on any page. Elements say what they show:
     <span data-quote-symbol="EURUSD" data-quote-field="bid"></span>      bid | ask | mid | spread | time
   They are filled on arrival, flash up or down when the price moves, and grey (data-quote-state="off")
   when the feed or the connection is gone. BrokerOS.quotes.watch(symbol, fn) calls fn({symbol, bid, ask,
   time, direction}) on every change; BrokerOS.quotes.get(symbol) is the last one; BrokerOS.quotes.refresh()
   looks for elements that were added later. Needs live.js. */
(function () {
  "use strict";
  var BrokerOS = (window.BrokerOS = window.BrokerOS || {});
  var last = {};
  var watchers = {};
  var link = null;
  var subscribed = "";

  function elements(symbol) {
    var selector = symbol ? '[data-quote-symbol="' + CSS.escape(symbol) + '"]' : "[data-quote-symbol]";
    return document.querySelectorAll(selector);
  }

  function wanted() {
    var names = {};
    elements().forEach(function (element) { names[element.dataset.quoteSymbol] = true; });
    Object.keys(watchers).forEach(function (name) { names[name] = true; });
    return Object.keys(names).sort();
  }

  function decimals(text) {
    var point = text.indexOf(".");
    return point < 0 ? 0 : text.length - point - 1;
  }

  function text(quote, field) {
    var digits = decimals(quote.bid);
    if (field === "bid" || field === "ask") { return quote[field]; }
    if (field === "mid") { return ((Number(quote.bid) + Number(quote.ask)) / 2).toFixed(digits); }
    if (field === "spread") { return String(Math.round((quote.ask - quote.bid) * Math.pow(10, digits))); }
    return new Date(quote.time).toLocaleTimeString();
  }

  function flash(element, direction) {
    element.classList.remove("bo-flash-up", "bo-flash-down");
    void element.offsetWidth;
    element.classList.add(direction > 0 ? "bo-flash-up" : "bo-flash-down");
  }

  function show(quote, before) {
    elements(quote.symbol).forEach(function (element) {
      var field = element.dataset.quoteField || "bid";
      var value = text(quote, field);
      if (element.textContent !== value) {
        element.textContent = value;
        if (before && (field === "bid" || field === "ask" || field === "mid")) {
          var moved = Number(text(quote, field)) - Number(text(before, field));
          if (moved) { flash(element, moved); }
        }
      }
      element.dataset.quoteState = "on";
    });
  }

  function take(row) {
    var before = last[row[0]];
    var quote = { symbol: row[0], bid: row[1], ask: row[2], time: row[3], direction: 0 };
    if (before) { quote.direction = Math.sign(Number(quote.bid) - Number(before.bid)); }
    last[quote.symbol] = quote;
    show(quote, before);
    (watchers[quote.symbol] || []).forEach(function (fn) { fn(quote); });
  }

  function state(value) {
    document.documentElement.dataset.quotes = value;
    elements().forEach(function (element) {
      if (value === "off" || last[element.dataset.quoteSymbol]) { element.dataset.quoteState = value; }
    });
  }

  function subscribe() {
    var names = wanted();
    if (link && names.join() !== subscribed) {
      subscribed = names.join();
      link.send({ type: "subscribe", symbols: names });
    }
  }

  function connect() {
    if (link || !wanted().length) { return; }
    link = BrokerOS.live("/ws/quotes/", function (message) {
      if (message.alive !== undefined) { state(message.alive ? "on" : "off"); }
      (message.quotes || []).forEach(take);
    }, {
      onState: function (value) {
        if (value === "on") { subscribed = ""; setTimeout(subscribe, 0); } else { state("off"); }
      },
      onGap: function () { link.send({ type: "snapshot" }); },
    });
  }

  function refresh() {
    Object.keys(last).forEach(function (symbol) { show(last[symbol]); });
    connect();
    subscribe();
  }

  BrokerOS.quotes = {
    get: function (symbol) { return last[symbol]; },
    refresh: refresh,
    watch: function (symbol, fn) {
      (watchers[symbol] = watchers[symbol] || []).push(fn);
      if (last[symbol]) { fn(last[symbol]); }
      refresh();
      return function () {
        watchers[symbol] = watchers[symbol].filter(function (other) { return other !== fn; });
        if (!watchers[symbol].length) { delete watchers[symbol]; }
      };
    },
  };

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", refresh);
  } else {
    refresh();
  }
  document.addEventListener("htmx:afterSettle", refresh);
})();
