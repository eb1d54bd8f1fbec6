/* The bid of the last day on an instrument's page, as a line. */
(function () {
  "use strict";
  document.addEventListener("DOMContentLoaded", function () {
    var element = document.getElementById("market-chart");
    var series = JSON.parse(document.getElementById("market-series").textContent);
    window.BrokerOS.echart(element, function (colors) {
      return {
        grid: { left: 8, right: 8, top: 12, bottom: 8, containLabel: true },
        tooltip: { trigger: "axis" },
        xAxis: { type: "time", axisLine: { lineStyle: { color: colors.border } } },
        yAxis: { type: "value", scale: true, splitLine: { lineStyle: { color: colors.border } } },
        series: [{ type: "line", showSymbol: false, data: series, lineStyle: { width: 1.5 }, areaStyle: { opacity: 0.08 } }],
      };
    });
  });
})();
