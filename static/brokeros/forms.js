/* A form is sent once. The button shows that it is busy until the answer is on the page.
   The server refuses a repetition as well (submission_key); this spares people the question. */
(function () {
  "use strict";

  function buttonsOf(form) {
    return Array.from(form.elements).filter(function (element) {
      return element.type === "submit";
    });
  }

  function start(form, submitter) {
    form.dataset.busy = "true";
    var shown = submitter || buttonsOf(form)[0];
    if (shown) { shown.setAttribute("aria-busy", "true"); }
    /* after the browser has collected the values: a disabled button would not be sent */
    setTimeout(function () {
      buttonsOf(form).forEach(function (button) { button.setAttribute("aria-disabled", "true"); });
    }, 0);
  }

  function finish(form) {
    delete form.dataset.busy;
    buttonsOf(form).forEach(function (button) {
      button.removeAttribute("aria-busy");
      button.removeAttribute("aria-disabled");
    });
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.busy) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    var question = (event.submitter && event.submitter.dataset.confirm) || form.dataset.confirm;
    if (question && !window.confirm(question)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if ((form.method || "get").toLowerCase() === "dialog" || form.dataset.free !== undefined) { return; }
    if (form.target && form.target !== "_self") { return; }
    start(form, event.submitter);
  }, true);

  document.addEventListener("htmx:afterRequest", function (event) {
    var form = event.target.closest && event.target.closest("form");
    if (form) { finish(form); }
  });

  /* back from the browser's page cache: the form is usable again */
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) { document.querySelectorAll("form[data-busy]").forEach(finish); }
  });

  /* the first refused field gets the focus, so that nobody has to look for it */
  document.addEventListener("DOMContentLoaded", function () {
    var invalid = document.querySelector("[aria-invalid='true']");
    if (invalid) { invalid.focus(); }
  });

  /* data-fill="#id" data-value="25": quick amounts */
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-fill]");
    if (!button) { return; }
    var field = document.querySelector(button.dataset.fill);
    if (field) {
      field.value = button.dataset.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
})();
