/* Earned per day as bars with the running sum as a line; clicks and registrations below them. */
(function () {
  "use strict";
  var holder = document.getElementById("ib-performance");
  var data = document.getElementById("ib-days");
  if (!holder || !data || !window.echarts) { return; }
  var days = JSON.parse(data.textContent);
  var words = holder.dataset;
  var sum = 0;
  var running = days.map(function (row) { sum += row.earned; return Math.round(sum * 100) / 100; });
  var dates = days.map(function (row) { return row.day; });

  function column(name) { return days.map(function (row) { return row[name]; }); }

  window.BrokerOS.echart(holder, function (colors) {
    var axis = {
      type: "category", data: dates, axisTick: { show: false },
      axisLine: { lineStyle: { color: colors.border } },
      axisLabel: { color: colors.muted, formatter: function (day) { return day.slice(5); } },
    };
    function values(extra) {
      return Object.assign({
        type: "value", splitNumber: 3, axisLabel: { color: colors.muted },
        splitLine: { lineStyle: { color: colors.border } },
      }, extra);
    }
    return {
      tooltip: { trigger: "axis", backgroundColor: colors.surface, borderColor: colors.border, textStyle: { color: colors.text } },
      axisPointer: { link: [{ xAxisIndex: "all" }] },
      legend: { top: 0, itemWidth: 14, textStyle: { color: colors.muted } },
      grid: [
        { left: 8, right: 8, top: 36, height: "46%", containLabel: true },
        { left: 8, right: 8, bottom: 4, height: "26%", containLabel: true },
      ],
      xAxis: [Object.assign({}, axis, { axisLabel: { show: false } }), Object.assign({}, axis, { gridIndex: 1 })],
      yAxis: [
        values({}),
        values({ position: "right", splitLine: { show: false } }),
        values({ gridIndex: 1, minInterval: 1, splitNumber: 2 }),
      ],
      series: [
        { name: words.earned + " " + words.currency, type: "bar", data: column("earned"), itemStyle: { color: colors.primary, borderRadius: [3, 3, 0, 0] } },
        { name: words.total, type: "line", yAxisIndex: 1, data: running, showSymbol: false, lineStyle: { color: colors.good, width: 2 }, itemStyle: { color: colors.good } },
        { name: words.clicks, type: "bar", xAxisIndex: 1, yAxisIndex: 2, data: column("clicks"), itemStyle: { color: colors.muted } },
        { name: words.registrations, type: "bar", xAxisIndex: 1, yAxisIndex: 2, data: column("registrations"), itemStyle: { color: colors.warn } },
      ],
    };
  });
})();
