/* Charts in the page's own colours. BrokerOS.colors() reads the tokens; BrokerOS.echart(element,
   build) draws build(colors) with ECharts, follows size and theme, and describes itself to readers. */
(function () {
  "use strict";
  var BrokerOS = (window.BrokerOS = window.BrokerOS || {});
  var probe = null;

  /* canvas libraries know neither oklch() nor color-mix(): ask the browser for plain rgb */
  function plain(name) {
    if (!probe) {
      probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    }
    var holder = document.createElement("span");
    holder.style.color = "var(" + name + ")";
    holder.hidden = true;
    document.body.append(holder);
    var value = getComputedStyle(holder).color;
    holder.remove();
    probe.clearRect(0, 0, 1, 1);
    probe.fillStyle = value;
    probe.fillRect(0, 0, 1, 1);
    var data = probe.getImageData(0, 0, 1, 1).data;
    return "rgb(" + data[0] + "," + data[1] + "," + data[2] + ")";
  }

  BrokerOS.colors = function () {
    return {
      text: plain("--bo-text"), strong: plain("--bo-strong"), muted: plain("--bo-muted"),
      border: plain("--bo-border"), surface: plain("--bo-surface"), primary: plain("--bo-primary"),
      good: plain("--bo-good-fill"), bad: plain("--bo-bad-fill"), warn: plain("--bo-warn"), info: plain("--bo-info"),
    };
  };

  BrokerOS.echart = function (element, build) {
    var chart = window.echarts.init(element, null, { renderer: "svg" });
    function draw() {
      var colors = BrokerOS.colors();
      var option = build(colors);
      chart.setOption(Object.assign({
        textStyle: { fontFamily: "Inter, system-ui, sans-serif", color: colors.text },
        aria: { enabled: true },
        color: [colors.primary, colors.good, colors.warn, colors.bad, colors.info, colors.muted],
      }, option), { notMerge: true });
    }
    draw();
    document.addEventListener("brokeros:theme", draw);
    new ResizeObserver(function () { chart.resize(); }).observe(element);
    chart.redraw = draw;
    return chart;
  };

  /* colours for lightweight-charts, used as chart.applyOptions(BrokerOS.priceChartOptions()) */
  BrokerOS.priceChartOptions = function () {
    var colors = BrokerOS.colors();
    return {
      layout: { background: { color: colors.surface }, textColor: colors.muted, fontFamily: "Inter, system-ui, sans-serif" },
      grid: { vertLines: { color: colors.border }, horzLines: { color: colors.border } },
      rightPriceScale: { borderColor: colors.border },
      timeScale: { borderColor: colors.border, timeVisible: true },
    };
  };
})();
