/* The trading pages: a chart that follows the quotes, and the part with positions that re-reads itself. */
(function () {
  "use strict";
  var REREAD_MS = 2000;

  document.querySelectorAll("[data-autosubmit]").forEach(function (select) {
    select.addEventListener("change", function () { select.form.submit(); });
  });

  /* limit fields only for limit orders */
  var type = document.getElementById("id_type");
  var limit = document.querySelector("[data-limit-fields]");
  function showLimit() { limit.hidden = type.value !== "LIMIT"; }
  if (type && limit) { type.addEventListener("change", showLimit); showLimit(); }

  /* positions, orders and equity */
  var holder = document.querySelector("[data-live-url]");
  function busy() {
    var active = document.activeElement;
    return document.visibilityState !== "visible" || holder.querySelector("[data-busy]") ||
      (active && holder.contains(active));
  }
  function reread() {
    if (busy()) { return; }
    fetch(holder.dataset.liveUrl, { credentials: "same-origin" })
      .then(function (response) { return response.ok && !response.redirected ? response.text() : null; })
      .then(function (text) { if (text && !busy()) { holder.innerHTML = text; } })
      .catch(function () { /* the next round asks again */ });
  }
  if (holder) { setInterval(reread, REREAD_MS); }

  /* the chart */
  var element = document.querySelector("[data-price-chart]");
  if (!element || !window.LightweightCharts) { return; }
  var BrokerOS = window.BrokerOS;
  var colors = BrokerOS.colors();
  var chart = window.LightweightCharts.createChart(element, Object.assign({ autoSize: true }, BrokerOS.priceChartOptions()));
  var style = { upColor: colors.good, downColor: colors.bad, borderVisible: false, wickUpColor: colors.good, wickDownColor: colors.bad };
  var series = chart.addCandlestickSeries
    ? chart.addCandlestickSeries(style)
    : chart.addSeries(window.LightweightCharts.CandlestickSeries, style);
  var minutes = 5;
  var bar = null;

  function load(interval) {
    fetch(element.dataset.url + "?interval=" + encodeURIComponent(interval), { credentials: "same-origin" })
      .then(function (response) { return response.ok ? response.json() : null; })
      .then(function (data) {
        if (!data) { return; }
        minutes = data.minutes;
        series.applyOptions({ priceFormat: { type: "price", precision: data.digits, minMove: Math.pow(10, -data.digits) } });
        series.setData(data.bars);
        bar = data.bars.length ? data.bars[data.bars.length - 1] : null;
        chart.timeScale().fitContent();
      });
  }

  function tick(quote) {
    var price = Number(quote.bid);
    var span = minutes * 60;
    var start = Math.floor(Date.now() / 1000 / span) * span;
    if (bar && start < bar.time) { return; }
    if (!bar || start > bar.time) { bar = { time: start, open: price, high: price, low: price, close: price }; }
    bar = { time: bar.time, open: bar.open, high: Math.max(bar.high, price), low: Math.min(bar.low, price), close: price };
    series.update(bar);
  }

  document.querySelectorAll("[data-interval]").forEach(function (input) {
    input.addEventListener("change", function () { load(input.value); });
  });
  document.addEventListener("brokeros:theme", function () { chart.applyOptions(BrokerOS.priceChartOptions()); });
  load("M5");
  BrokerOS.quotes.watch(element.dataset.symbol, tick);
})();
