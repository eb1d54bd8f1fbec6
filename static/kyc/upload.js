/* Documents from the camera or by drag and drop. Without this script the file field works as it is. */
(function () {
  "use strict";

  function touch() {
    return window.matchMedia("(pointer: coarse)").matches;
  }

  /* a second button opens the camera directly; the field itself still offers files and photos */
  function addCamera(input) {
    var button = document.createElement("button");
    button.type = "button";
    button.className = "bo-btn bo-btn-s";
    button.textContent = document.documentElement.dataset.cameraLabel || "\u{1F4F7}";
    button.setAttribute("aria-label", "Camera");
    button.addEventListener("click", function () {
      input.setAttribute("capture", input.dataset.camera);
      input.click();
      setTimeout(function () { input.removeAttribute("capture"); }, 500);
    });
    input.insertAdjacentElement("afterend", button);
  }

  function takeDrops(form) {
    var target = form.querySelector("input[type=file]");
    form.addEventListener("dragover", function (event) {
      event.preventDefault();
      form.dataset.dropping = "true";
    });
    form.addEventListener("dragleave", function () { delete form.dataset.dropping; });
    form.addEventListener("drop", function (event) {
      event.preventDefault();
      delete form.dataset.dropping;
      if (!event.dataTransfer || !event.dataTransfer.files.length) { return; }
      var over = event.target.closest && event.target.closest("input[type=file]");
      (over || target).files = event.dataTransfer.files;
    });
  }

  function prepare(root) {
    root.querySelectorAll("form[data-upload]:not([data-ready])").forEach(function (form) {
      form.dataset.ready = "true";
      takeDrops(form);
      if (touch()) { form.querySelectorAll("input[data-camera]").forEach(addCamera); }
    });
  }

  document.addEventListener("DOMContentLoaded", function () { prepare(document); });
  document.addEventListener("htmx:afterSwap", function () { prepare(document); });
  /* a refused file answers 422 with the card and its reason: show it */
  document.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.xhr.status === 422) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
})();
