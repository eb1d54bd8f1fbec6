/* The live exposure page: a snapshot, then changed rows; grey as soon as anything it stands on is silent. */
(function () {
  "use strict";
  var BrokerOS = window.BrokerOS;
  var root = document.getElementById("exposure");
  var words = root.dataset;
  var views = {};
  var history = [];
  var bars = null;
  var line = null;
  var link = null;
  var heard = 0;
  var connected = false;
  var money = new Intl.NumberFormat(document.documentElement.lang || "en", { maximumFractionDigits: 0 });
  var exact = new Intl.NumberFormat(document.documentElement.lang || "en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  var lots = new Intl.NumberFormat(document.documentElement.lang || "en", { minimumFractionDigits: 2, maximumFractionDigits: 4 });
  var compact = new Intl.NumberFormat(document.documentElement.lang || "en", { notation: "compact", maximumFractionDigits: 1 });

  function tone(element, value) {
    element.classList.toggle("bo-good", value > 0);
    element.classList.toggle("bo-bad", value < 0);
  }

  function cell(row, text, figure, value) {
    var td = document.createElement("td");
    td.className = "bo-num-cell";
    td.textContent = text;
    if (figure) { td.dataset.figure = figure; tone(td, value); }
    row.append(td);
    return td;
  }

  function symbolRow(symbol, data) {
    var tr = document.createElement("tr");
    var name = document.createElement("td");
    var anchor = document.createElement("a");
    anchor.className = "bo-link";
    anchor.href = words.drill.replace("SYMBOL", encodeURIComponent(symbol));
    anchor.textContent = symbol;
    name.append(anchor);
    if (!data.priced) {
      tr.dataset.unpriced = "";
      name.append(" (" + words.wordUnpriced + ")");
    }
    tr.append(name);
    cell(tr, String(data.positions));
    cell(tr, lots.format(data.long_lots));
    cell(tr, lots.format(data.short_lots));
    cell(tr, lots.format(data.net_lots));
    cell(tr, data.priced ? money.format(data.net) : "–");
    cell(tr, data.priced ? money.format(data.gross) : "–");
    cell(tr, lots.format(data.passed_on_lots));
    cell(tr, lots.format(data.hedge_lots));
    var gap = cell(tr, lots.format(data.gap_lots));
    if (data.gap_lots) { gap.dataset.gap = ""; }
    cell(tr, lots.format(data.house_lots));
    cell(tr, data.priced ? exact.format(data.pnl) : "–", "pnl", data.pnl);
    return tr;
  }

  function plainRow(name, data, withPnl) {
    var tr = document.createElement("tr");
    var first = document.createElement("td");
    first.textContent = name;
    tr.append(first);
    (withPnl ? ["net", "gross"] : ["long", "short", "net", "gross"]).forEach(function (figure) {
      cell(tr, money.format(data[figure]));
    });
    if (withPnl) {
      cell(tr, exact.format(data.pnl), "pnl", data.pnl);
      cell(tr, exact.format(data.house_pnl), "pnl", data.house_pnl);
    }
    return tr;
  }

  function sorted(view) {
    return Object.keys(view).sort(function (a, b) {
      return view[b].gross - view[a].gross || (a < b ? -1 : 1);
    });
  }

  function drawTables() {
    root.querySelectorAll("[data-rows]").forEach(function (body) {
      var view = views[body.dataset.rows] || {};
      var names = sorted(view);
      var rows = names.map(function (name) {
        return body.dataset.rows === "symbols" ? symbolRow(name, view[name]) : plainRow(name, view[name], "pnl" in body.dataset);
      });
      if (!rows.length) {
        var tr = document.createElement("tr");
        var td = document.createElement("td");
        td.colSpan = 12;
        td.className = "bo-muted";
        td.textContent = words.wordNone;
        tr.append(td);
        rows.push(tr);
      }
      body.replaceChildren.apply(body, rows);
    });
  }

  function drawTotals(state) {
    var total = (views.total || {}).all || {};
    root.querySelectorAll("[data-total]").forEach(function (element) {
      var value = total[element.dataset.total];
      if (value === undefined) { return; }
      element.textContent = "tone" in element.dataset ? exact.format(value) : money.format(value);
      if ("tone" in element.dataset) { tone(element, value); }
    });
    root.querySelectorAll("[data-lag]").forEach(function (element) {
      var value = state.lag_ms[element.dataset.lag];
      element.textContent = value === null ? "–" : Math.round(value) + " ms";
    });
    root.querySelectorAll("[data-currency]").forEach(function (element) { element.textContent = state.currency; });
  }

  function badge(element, alive) {
    element.classList.remove("bo-badge-plain");
    element.classList.toggle("bo-badge-good", alive);
    element.classList.toggle("bo-badge-bad", !alive);
    element.title = alive ? words.wordLive : words.wordDown;
  }

  function drawSources(state) {
    badge(root.querySelector('[data-source="engine"]'), state.engine);
    badge(root.querySelector('[data-source="feed"]'), state.feed);
    var venues = Object.keys(state.venues).map(function (code) {
      var element = document.createElement("span");
      element.className = "bo-badge";
      element.textContent = code;
      badge(element, state.venues[code]);
      return element;
    });
    var holder = root.querySelector("[data-venues]");
    holder.replaceChildren.apply(holder, venues);
  }

  function warn(text) {
    var box = root.querySelector("[data-warning]");
    box.hidden = !text;
    box.querySelector("[data-warning-text]").textContent = text || "";
  }

  function setState(value) {
    root.dataset.state = value;
    warn({ off: words.wordOff, silent: words.wordSilent, engine: words.wordEngine, feed: words.wordFeed }[value]);
  }

  function judge(state) {
    if (!connected) { setState("off"); return; }
    if (!state) { setState("silent"); return; }
    setState(!state.engine ? "engine" : !state.feed ? "feed" : "on");
  }

  function barOptions(colors) {
    var view = views.symbols || {};
    var names = sorted(view).slice(0, 14);
    function series(name, color, pick) {
      return { name: name, type: "bar", stack: "exposure", itemStyle: { color: color }, barMaxWidth: 22,
        data: names.map(function (symbol) { return pick(view[symbol]); }) };
    }
    return {
      animation: false,
      grid: { left: 4, right: 8, top: 34, bottom: 4, containLabel: true },
      legend: { top: 0, textStyle: { color: colors.text } },
      tooltip: { trigger: "axis", valueFormatter: function (value) { return money.format(value); } },
      xAxis: { type: "category", data: names, axisLabel: { color: colors.muted, interval: 0, rotate: names.length > 6 ? 40 : 0 }, axisLine: { lineStyle: { color: colors.border } } },
      yAxis: { type: "value", axisLabel: { color: colors.muted, formatter: function (value) { return compact.format(value); } }, splitLine: { lineStyle: { color: colors.border } } },
      series: [
        series(words.wordLong, colors.good, function (row) { return row.long; }),
        series(words.wordShort, colors.bad, function (row) { return -row.short; }),
        { name: words.wordNet, type: "scatter", symbol: "diamond", symbolSize: 9, itemStyle: { color: colors.strong },
          data: names.map(function (symbol) { return view[symbol].net; }) },
      ],
    };
  }

  function lineOptions(colors) {
    function series(name, color, column) {
      return { name: name, type: "line", showSymbol: false, lineStyle: { width: 1.75 }, itemStyle: { color: color },
        data: history.map(function (point) { return [point[0], point[column]]; }) };
    }
    return {
      animation: false,
      grid: { left: 4, right: 12, top: 34, bottom: 4, containLabel: true },
      legend: { top: 0, textStyle: { color: colors.text } },
      tooltip: { trigger: "axis", valueFormatter: function (value) { return exact.format(value); } },
      xAxis: { type: "time", axisLabel: { color: colors.muted, hideOverlap: true }, axisLine: { lineStyle: { color: colors.border } } },
      yAxis: { type: "value", scale: true, axisLabel: { color: colors.muted, formatter: function (value) { return compact.format(value); } }, splitLine: { lineStyle: { color: colors.border } } },
      series: [series(words.wordClient, colors.primary, 1), series(words.wordHouse, colors.warn, 2)],
    };
  }

  var drawnAt = 0;
  function drawCharts(force) {
    if (!force && Date.now() - drawnAt < 1000) { return; }
    drawnAt = Date.now();
    if (!bars) {
      bars = BrokerOS.echart(document.getElementById("exposure-bars"), barOptions);
      line = BrokerOS.echart(document.getElementById("exposure-line"), lineOptions);
      return;
    }
    bars.redraw();
    line.redraw();
  }

  function addPoint(state) {
    var total = (views.total || {}).all;
    var at = Math.floor(state.at_us / 1000);
    var last = history.length ? history[history.length - 1][0] : 0;
    if (total && at - last >= 2000) {
      history.push([at, total.pnl, total.house_pnl]);
      if (history.length > 1800) { history.shift(); }
    }
  }

  function merge(delta) {
    Object.keys(delta).forEach(function (view) {
      var rows = (views[view] = views[view] || {});
      Object.keys(delta[view]).forEach(function (key) {
        var row = delta[view][key];
        if (Object.keys(row).length) { rows[key] = row; } else { delete rows[key]; }
      });
    });
  }

  function take(message) {
    heard = Date.now();
    if (message.type === "snapshot") {
      views = message.views;
      history = message.history;
    } else if (message.type === "delta") {
      merge(message.views);
    }
    judge(message.state);
    if (!message.state) { return; }
    addPoint(message.state);
    drawTotals(message.state);
    drawSources(message.state);
    if (message.type === "snapshot" || Object.keys(message.views || {}).length) { drawTables(); }
    drawCharts(message.type === "snapshot");
  }

  function start() {
    link = BrokerOS.live("/ws/exposure/", take, {
      state: document.getElementById("exposure-live"),
      onState: function (value) {
        connected = value === "on";
        if (!connected) { setState("off"); }
      },
      onGap: function () { link.send({ type: "snapshot" }); },
    });
    setInterval(function () {
      if (connected && heard && Date.now() - heard > 6000) { setState("silent"); }
    }, 1000);
  }

  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", start); } else { start(); }
})();
