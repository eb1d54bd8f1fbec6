/* Back office: a transition opens as a dialog on the page; without script its link opens the same form as a page. */
(function () {
  "use strict";

  function dialog() { return document.getElementById("bo-transition"); }

  function show(html) {
    dialog().innerHTML = html;
    if (!dialog().open) { dialog().showModal(); }
    var first = dialog().querySelector("textarea, input:not([type=hidden]), select");
    if (first) { first.focus(); }
  }

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-dialog-cancel]") && dialog() && dialog().open) {
      event.preventDefault();
      dialog().close();
      return;
    }
    var link = event.target.closest("a[data-dialog]");
    if (!link || !dialog() || event.metaKey || event.ctrlKey) { return; }
    event.preventDefault();
    fetch(link.href, { headers: { "X-Dialog": "1" }, credentials: "same-origin" }).then(function (response) {
      if (!response.ok) { window.location = response.headers.get("X-Step-Up") || link.href; return null; }
      return response.text().then(show);
    });
  });

  document.addEventListener("click", function (event) {
    var opener = event.target.closest("[data-dialog-open]");
    var closer = event.target.closest("[data-dialog-close]");
    var asked = opener && document.getElementById(opener.dataset.dialogOpen);
    if (asked) { event.preventDefault(); asked.showModal(); }
    if (closer && closer.closest("dialog")) { event.preventDefault(); closer.closest("dialog").close(); }
  });

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!form.matches("[data-transition-form]") || !form.closest("dialog")) { return; }
    event.preventDefault();
    /* forms.js has marked it busy and lets no second submit through */
    fetch(form.action, {
      method: "POST", body: new FormData(form), headers: { "X-Dialog": "1" }, credentials: "same-origin"
    }).then(function (response) {
      var proof = response.headers.get("X-Step-Up");
      if (proof || response.redirected) { window.location = proof || response.url; return null; }
      return response.text().then(show);
    }).catch(function () { form.submit(); });
  });

  /* charts drawn in the page's colours follow the admin's theme switch */
  document.addEventListener("DOMContentLoaded", function () {
    new MutationObserver(function () {
      var dark = document.documentElement.classList.contains("dark");
      document.dispatchEvent(new CustomEvent("brokeros:theme", { detail: { dark: dark } }));
    }).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  });
}());
