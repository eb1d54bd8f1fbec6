/* Passkeys: their buttons show only where the browser knows them; a ceremony that ends without a key says so. */
(function () {
  "use strict";

  var failed = document.currentScript.dataset.failedText;

  document.addEventListener("DOMContentLoaded", function () {
    /* a passkey belongs to a name: no browser keeps one for a bare address such as 127.0.0.1 */
    var named = !/^[\d.]+$|:/.test(window.location.hostname);
    var known = typeof window.PublicKeyCredential === "function" && named;
    document.querySelectorAll("[data-passkey-only]").forEach(function (part) { part.hidden = !known; });
    document.querySelectorAll("[data-passkey-missing]").forEach(function (part) { part.hidden = known; });
  });

  document.addEventListener("allauth.error", function (event) {
    event.preventDefault();
    window.BrokerOS.toast(failed, "error");
  });
}());
