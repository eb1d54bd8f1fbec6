/* The shell: theme switch, menus, dialogs, toasts, copy buttons, relative times. */
(function () {
  "use strict";
  var BrokerOS = (window.BrokerOS = window.BrokerOS || {});

  /* ---- theme --------------------------------------------------------------------------- */
  function paintTheme() {
    var wanted = BrokerOS.theme.choice();
    document.querySelectorAll("[data-theme-choice]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === wanted));
    });
    document.querySelectorAll("[data-theme-toggle] .bo-icon").forEach(function (icon) {
      icon.textContent = BrokerOS.theme.dark() ? "light_mode" : "dark_mode";
    });
  }
  document.addEventListener("brokeros:theme", paintTheme);

  /* ---- toasts -------------------------------------------------------------------------- */
  function closeToast(toast) { if (toast) { toast.remove(); } }
  function armToast(toast) {
    if (toast.dataset.sticky !== undefined) { return; }
    var timer = setTimeout(closeToast, 7000, toast);
    toast.addEventListener("mouseenter", function () { clearTimeout(timer); });
    toast.addEventListener("focusin", function () { clearTimeout(timer); });
  }
  BrokerOS.toast = function (text, level) {
    var holder = document.querySelector("[data-toasts]");
    var template = document.getElementById("bo-toast-template");
    if (!holder || !template) { return; }
    var toast = template.content.firstElementChild.cloneNode(true);
    toast.classList.add("bo-toast-" + (level || "info"));
    toast.querySelector("[data-text]").textContent = text;
    if (level === "error") { toast.dataset.sticky = ""; toast.setAttribute("role", "alert"); }
    holder.append(toast);
    armToast(toast);
  };

  /* ---- one listener for what is clicked ------------------------------------------------- */
  document.addEventListener("click", function (event) {
    var target = event.target.closest("[data-theme-toggle],[data-theme-choice],[data-toast-close],[data-dialog-open],[data-dialog-close],[data-copy],[data-print]");
    document.querySelectorAll("details.bo-menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) { menu.open = false; }
    });
    if (!target) { return; }
    if (target.matches("[data-theme-toggle]")) { BrokerOS.theme.set(BrokerOS.theme.dark() ? "light" : "dark"); }
    if (target.dataset.themeChoice) { BrokerOS.theme.set(target.dataset.themeChoice); }
    if (target.matches("[data-toast-close]")) { closeToast(target.closest(".bo-toast")); }
    if (target.dataset.dialogOpen) { document.getElementById(target.dataset.dialogOpen).showModal(); }
    if (target.matches("[data-dialog-close]")) { target.closest("dialog").close(); }
    if (target.matches("[data-print]")) { window.print(); }
    if (target.dataset.copy !== undefined) {
      navigator.clipboard.writeText(target.dataset.copy).then(function () {
        BrokerOS.toast(target.dataset.copied || target.getAttribute("aria-label"), "success");
      });
    }
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      document.querySelectorAll("details.bo-menu[open]").forEach(function (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
    }
  });
  document.addEventListener("click", function (event) {
    if (event.target.matches("dialog.bo-dialog") && !event.target.hasAttribute("data-modal")) { event.target.close(); }
  });

  /* ---- htmx ----------------------------------------------------------------------------- */
  document.addEventListener("htmx:configRequest", function (event) {
    var token = document.querySelector("meta[name='csrf-token']");
    if (token) { event.detail.headers["X-CSRFToken"] = token.content; }
  });
  document.addEventListener("htmx:responseError", function (event) {
    var words = document.body.dataset.failed;
    if (words && event.detail.xhr.status >= 500) { BrokerOS.toast(words, "error"); }
  });
  document.addEventListener("htmx:sendError", function () {
    if (document.body.dataset.offline) { BrokerOS.toast(document.body.dataset.offline, "error"); }
  });

  document.addEventListener("DOMContentLoaded", function () {
    paintTheme();
    document.querySelectorAll(".bo-toast").forEach(armToast);
  });
})();
