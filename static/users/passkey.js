/* Passkeys: their buttons show only where the browser knows them; a ceremony that ends without a key says so. */
(function () {
  "use strict";

  var failed = document.currentScript.dataset.failedText;

  document.addEventListener("DOMContentLoaded", function () {
    var known = typeof window.PublicKeyCredential === "function";
    document.querySelectorAll("[data-passkey-only]").forEach(function (part) { part.hidden = !known; });
    document.querySelectorAll("[data-passkey-missing]").forEach(function (part) { part.hidden = known; });
  });

  document.addEventListener("allauth.error", function (event) {
    event.preventDefault();
    window.BrokerOS.toast(failed, "error");
  });
}());
