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
      if (!response.ok) { window.location = link.href; return null; }
      return response.text().then(show);
    });
  });

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!form.matches("[data-transition-form]") || !form.closest("dialog")) { return; }
    event.preventDefault();
    if (form.dataset.busy) { return; }
    form.dataset.busy = "true";
    form.querySelectorAll("button").forEach(function (button) { button.disabled = true; });
    fetch(form.action, {
      method: "POST", body: new FormData(form), headers: { "X-Dialog": "1" }, credentials: "same-origin"
    }).then(function (response) {
      if (response.redirected) { window.location = response.url; return null; }
      return response.text().then(show);
    });
  });
}());
