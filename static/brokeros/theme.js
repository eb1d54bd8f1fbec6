/* Runs before the first paint: the stored choice, or the system's, without a flash.
   The key and its JSON form are the admin's own, so one choice serves every page. */
(function () {
  "use strict";
  var KEY = "adminTheme";
  var media = window.matchMedia("(prefers-color-scheme: dark)");

  function choice() {
    try {
      return JSON.parse(localStorage.getItem(KEY)) || "auto";
    } catch (error) {
      return "auto";
    }
  }

  function apply() {
    var wanted = choice();
    var dark = wanted === "dark" || (wanted === "auto" && media.matches);
    document.documentElement.classList.toggle("dark", dark);
    document.documentElement.dataset.theme = wanted;
    document.dispatchEvent(new CustomEvent("brokeros:theme", { detail: { dark: dark } }));
  }

  window.BrokerOS = window.BrokerOS || {};
  window.BrokerOS.theme = {
    choice: choice,
    dark: function () { return document.documentElement.classList.contains("dark"); },
    set: function (wanted) {
      localStorage.setItem(KEY, JSON.stringify(wanted));
      apply();
    },
  };
  media.addEventListener("change", apply);
  window.addEventListener("storage", function (event) { if (event.key === KEY) { apply(); } });
  apply();
})();
